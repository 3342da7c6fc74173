import type { FileSystem } from '../ports/file-system.ts';
import type { Xattr } from '../ports/xattr-dump.ts';

/** By what a file shows whether it was changed or replaced; absent in an image, where nothing changes. */
interface Identity {
  readonly inode?: number;
  /** As in `FileStatus`. */
  readonly ctime?: number;
}

/** Something in a tree of /etc. Its path is text as in `ports/path-text.ts`: `bytesOfPath` gives the bytes. */
export type EtcEntry = {
  /** Relative to the tree's root, without a slash in front; empty for the root itself. */
  readonly path: string;
  /** Permissions with set-id and sticky bits: the lower twelve bits of st_mode. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Sorted by name. */
  readonly xattrs: readonly Xattr[];
} & (
  | ({ readonly kind: 'file'; readonly size: number; readonly mtime: number } & Identity)
  | { readonly kind: 'directory' }
  | ({ readonly kind: 'symlink'; readonly target: string; readonly mtime: number } & Identity)
  /** A socket, a fifo or a device: never copied, never merged. */
  | { readonly kind: 'special' }
);

/**
 * Everything below a folder: a folder before what is in it, names in the order of their bytes. Links are not
 * followed, so that no loop of them matters, and the system bounds how long a path is. What goes while the walk is under way is left out.
 */
export async function* walkEtc(
  files: FileSystem,
  root: string,
  xattrs: ReadonlyMap<string, readonly Xattr[]> = new Map(),
): AsyncGenerator<EtcEntry> {
  yield* walk(files, root, '', xattrs);
}

async function* walk(
  files: FileSystem,
  root: string,
  path: string,
  attributes: ReadonlyMap<string, readonly Xattr[]>,
): AsyncGenerator<EtcEntry> {
  const entry = await readEntry(files, root, path, attributes.get(path === '' ? '.' : path));
  if (entry === undefined) return;
  yield entry;
  if (entry.kind !== 'directory') return;
  for (const name of (await files.readFolder(place(root, path))) ?? []) {
    const below = path === '' ? name : `${path}/${name}`;
    yield* walk(files, root, below, attributes);
  }
}

/** One entry of a tree; `undefined` when nothing has that path. */
export async function readEntry(
  files: FileSystem,
  root: string,
  path: string,
  xattrs: readonly Xattr[] = [],
): Promise<EtcEntry | undefined> {
  const status = await files.status(place(root, path));
  if (status === undefined) return undefined;
  const { uid, gid, mtime, size, inode, ctime } = status;
  const common = { path, mode: status.mode & 0o7777, uid, gid, xattrs };
  switch (status.kind) {
    case 'file':
      return { ...common, kind: 'file', size, mtime, inode, ctime };
    case 'directory':
      return { ...common, kind: 'directory' };
    case 'symlink': {
      const target = await files.readLink(place(root, path)).catch(() => undefined);
      return target === undefined
        ? undefined
        : { ...common, kind: 'symlink', target, mtime, inode, ctime };
    }
    default:
      return { ...common, kind: 'special' };
  }
}

function place(root: string, path: string): string {
  return path === '' ? root : `${root}/${path}`;
}
