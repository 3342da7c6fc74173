/** Whether a name fits a pattern of `*`, `?` and `[…]`, as fnmatch(3) without flags has it. */
export function globMatches(pattern: string, name: string): boolean {
  return globExpression(pattern)?.test(name) ?? false;
}

/** The pattern as a regular expression; `undefined` for one that makes no sense. */
function globExpression(pattern: string): RegExp | undefined {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    return undefined;
  }
}
