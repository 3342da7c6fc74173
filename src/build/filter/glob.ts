/**
 * A pattern for paths of a tree: `*` and `?` stay between two slashes, `**` does not, `[abc]` and `[!abc]`
 * stand for one letter, a backslash takes the next letter as it is. With a slash in front it begins
 * at the root, else anywhere. `undefined` when a bracket or backslash is left open, or a
 * range in brackets runs backwards.
 */
export function compileGlob(pattern: string): RegExp | undefined {
  const parts: readonly string[] = pattern.match(/\*\*\/|\*+|\?|\[!?[^\]/]+\]|\\.|./gsu) ?? [];
  if (parts.includes('[') || parts.includes('\\')) return undefined;
  const body = parts.map(translate).join('');
  try {
    return new RegExp(pattern.startsWith('/') ? `^${body}$` : `^(?:.*/)${body}$`, 'su');
  } catch {
    return undefined;
  }
}

function translate(part: string): string {
  if (part === '**/') return '(?:.*/)?';
  if (part === '*') return '[^/]*';
  if (part.startsWith('*')) return '.*';
  if (part === '?') return '[^/]';
  if (part.startsWith('[') && part.length > 1) {
    const letters = part
      .slice(1, -1)
      .replace(/^!/, '')
      .replace(/[\\^[\]&~]/g, '\\$&');
    return part.startsWith('[!') ? `[^/${letters}]` : `[${letters}]`;
  }
  return (part.startsWith('\\') ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
