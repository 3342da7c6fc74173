import type { Xattr } from '../../ports/xattr-dump.ts';
import type { ConflictReason } from '../conflicts.ts';
import type { EtcFile } from '../trees/tree.ts';
import type { EtcEntry } from '../walk.ts';
import type { Attributes } from './attributes.ts';

/** A side that content is taken from. The old release's own is never taken: it is only compared with. */
export type Source = 'next' | 'local';

/** Where the content of a merged file comes from. */
export type Content =
  | { readonly from: Source; readonly file: EtcFile }
  | { readonly from: 'both'; readonly bytes: Buffer };

/** What a merged tree has under a path. */
export type Placed = {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly xattrs: readonly Xattr[];
} & (
  | { readonly kind: 'file'; readonly content: Content; readonly mtime: number }
  | { readonly kind: 'symlink'; readonly target: string; readonly mtime: number }
  | { readonly kind: 'directory' }
);

/** Why the local side was kept although the release changed the path too. */
export interface Clash {
  readonly reason: ConflictReason;
  readonly detail: string;
}

/** What becomes of a path. */
export interface Decision {
  /** `undefined`: the merged tree does not have it. */
  readonly placed: Placed | undefined;
  readonly clash?: Clash;
}

/** An entry as one of the sides has it. `undefined` for what is never copied. */
export function placeEntry(
  entry: EtcEntry | undefined,
  from: Source,
  attributes: Attributes | undefined = entry,
): Placed | undefined {
  if (entry === undefined || attributes === undefined) return undefined;
  const { mode, uid, gid, xattrs } = attributes;
  const common = { path: entry.path, mode, uid, gid, xattrs };
  switch (entry.kind) {
    case 'file':
      return { ...common, kind: 'file', content: { from, file: entry }, mtime: entry.mtime };
    case 'symlink':
      return { ...common, kind: 'symlink', target: entry.target, mtime: entry.mtime };
    case 'directory':
      return { ...common, kind: 'directory' };
    default:
      return undefined;
  }
}
