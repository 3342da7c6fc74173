import { pathKind } from '../path-kinds.ts';
import type { EtcEntry } from '../walk.ts';

/** The most that a file may have for its content to be recorded, in bytes. */
export const contentLimit = 1024 * 1024;

/** The name of the file that keeps in each folder what git does not: see sidecar.ts. */
export const sidecarName = '.pine-metadata';

/**
 * Why the content of something is not in the repository:
 * - `secret`: not everyone on the machine may read it;
 * - `large`: more than `contentLimit`;
 * - `name`: git has no room for such a name, or gives it a meaning;
 * - `special`: a socket, a fifo or a device.
 *
 * That it is there, its mode, owner and size are recorded, and when it changed last; no digest, which would tell
 * whoever gets hold of it whether a guess is right.
 */
export type Withheld = 'secret' | 'large' | 'name' | 'special';

/** An entry, and why its content must stay out of the repository, if it must. */
export interface Judged {
  readonly entry: EtcEntry;
  readonly withheld: Withheld | undefined;
}

/**
 * What of a tree is recorded at all, in the order of `walkEtc`: nothing volatile, and nothing below a folder whose name
 * git can't hold.
 */
export async function* judgeEntries(entries: AsyncIterable<EtcEntry>): AsyncGenerator<Judged> {
  let skipped: string | undefined;
  /** The highest folder that others can't enter: all in it is as secret as the folder. */
  let hidden: string | undefined;
  for await (const entry of entries) {
    if (skipped !== undefined && isBelow(entry.path, skipped)) continue;
    skipped = undefined;
    if (hidden !== undefined && !isBelow(entry.path, hidden)) hidden = undefined;
    if (entry.path !== '' && pathKind(entry.path) === 'volatile') continue;
    const withheld = whyWithheld(entry, hidden !== undefined);
    if (entry.kind === 'directory') {
      if (withheld !== undefined) skipped = entry.path;
      else if (hidden === undefined && (entry.mode & 0o001) === 0) hidden = entry.path;
    }
    yield { entry, withheld };
  }
}

/** Whether a path is below a folder; everything but the root is below the root. */
export function isBelow(path: string, folder: string): boolean {
  return folder === '' ? path !== '' : path.startsWith(`${folder}/`);
}

/** The last part of a path. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function whyWithheld(entry: EtcEntry, hidden: boolean): Withheld | undefined {
  if (!isNameForGit(nameOf(entry.path))) return 'name';
  if (entry.kind === 'special') return 'special';
  if (entry.kind !== 'file') return undefined;
  if (hidden || (entry.mode & 0o004) === 0) return 'secret';
  return entry.size > contentLimit ? 'large' : undefined;
}

/**
 * git refuses `.git` in whatever way Windows or macOS may write it, and reads .gitmodules and the like;
 * isomorphic-git refuses backslashes; and both want UTF-8.
 */
function isNameForGit(name: string): boolean {
  if (!name.isWellFormed() || name.includes('\\') || name === sidecarName) return false;
  const seen = name.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '');
  return !/^(\.git|\.?gi\w*~\d)/i.test(seen);
}
