import { PineError } from '../../error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import type { Xattr } from '../../ports/xattr-dump.ts';
import { walkEtc } from '../walk.ts';
import { type EtcFile, type EtcTree, pieceSize } from './tree.ts';

/**
 * The /etc in a folder, such as the one that the machine uses. `note` hears when extended attributes could not be
 * read, because files went meanwhile.
 */
export async function folderTree(
  files: FileSystem,
  root: string,
  note: (text: string) => void = () => {},
): Promise<EtcTree> {
  const xattrs = await readXattrs(files, root, note);
  return {
    hasXattrs: xattrs !== undefined,
    async *walk(path) {
      if (path === '') yield* walkEtc(files, root, xattrs);
      else {
        for await (const entry of walkEtc(files, `${root}/${path}`, within(xattrs, path))) {
          yield { ...entry, path: entry.path === '' ? path : `${path}/${entry.path}` };
        }
      }
    },
    async *read({ path }: EtcFile) {
      for (let position = 0; ; position += pieceSize) {
        const piece = await files.readAt(`${root}/${path}`, position, pieceSize);
        if (piece.length > 0) yield piece;
        if (piece.length < pieceSize) return;
      }
    },
  };
}

async function readXattrs(
  files: FileSystem,
  root: string,
  note: (text: string) => void,
): Promise<ReadonlyMap<string, readonly Xattr[]> | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await files.readXattrs(root);
    } catch (error) {
      if (!(error instanceof PineError)) throw error;
      if (attempt < 3) continue;
      note(`extended attributes of ${root} were not read: ${error.details.found}`);
      return undefined;
    }
  }
}

/** The attributes below a path, by path relative to it. */
function within(
  xattrs: ReadonlyMap<string, readonly Xattr[]> | undefined,
  path: string,
): ReadonlyMap<string, readonly Xattr[]> {
  const found = new Map<string, readonly Xattr[]>();
  for (const [name, value] of xattrs ?? []) {
    if (name === path) found.set('.', value);
    else if (name.startsWith(`${path}/`)) found.set(name.slice(path.length + 1), value);
  }
  return found;
}
