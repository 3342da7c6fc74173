import { PineError } from '../../error.ts';
import { compileGlob } from './glob.ts';

/** One line of a filter. */
export type FilterRule = {
  /** Counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly glob: RegExp;
  /** Whether the pattern ended in a slash. */
  readonly onlyDirectories: boolean;
} & (
  | { readonly action: 'keep' | 'drop' }
  | { readonly action: 'mode'; readonly mode: number }
  | { readonly action: 'owner'; readonly uid: number; readonly gid: number }
);

/** Reads a filter file (docs/repository.md). Throws INPUT_FILTER with the line. */
export function parseFilter(text: string, file: string): FilterRule[] {
  return text.split('\n').flatMap((each, index) => {
    const line = each.trim();
    return line === '' || line.startsWith('#') ? [] : [parseRule(line, index + 1, file)];
  });
}

function parseRule(text: string, line: number, file: string): FilterRule {
  const [, action = '', value = '', pattern = ''] =
    /^(keep|drop)()\s+(.+)$/.exec(text) ?? /^(mode|owner)\s+(\S+)\s+(.+)$/.exec(text) ?? [];
  const onlyDirectories = pattern.length > 1 && pattern.endsWith('/');
  const glob = compileGlob(onlyDirectories ? pattern.slice(0, -1) : pattern);
  const common = { line, text, onlyDirectories };
  if (glob !== undefined && pattern !== '') {
    if (action === 'keep' || action === 'drop') return { ...common, glob, action };
    if (action === 'mode' && /^[0-7]{3,5}$/.test(value) && Number.parseInt(value, 8) <= 0o7777) {
      return { ...common, glob, action, mode: Number.parseInt(value, 8) };
    }
    const [uid = -1, gid = -1] = /^\d{1,10}:\d{1,10}$/.test(value)
      ? value.split(':').map(Number)
      : [];
    if (action === 'owner' && uid >= 0 && Math.max(uid, gid) < 0xffffffff) {
      return { ...common, glob, action, uid, gid };
    }
  }
  throw new PineError('INPUT_FILTER', 'a line of the filter is no rule', {
    expected: 'keep PATTERN, drop PATTERN, mode OCTAL PATTERN or owner UID:GID PATTERN',
    found: JSON.stringify(text),
    where: `${file}:${line}`,
    remedy: 'correct the line; docs/repository.md describes the rules',
  });
}
