import { corruptImage } from '../../image/reader/corrupt-image.ts';
import { type Image, openImage } from '../../image/reader/open-image.ts';
import { type ImageEntry, walkFolder } from '../../image/reader/walk-image.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { EtcEntry } from '../walk.ts';
import { type EtcFile, type EtcTree, pieceSize } from './tree.ts';

/**
 * What an image ships under /etc, read from its bytes: nothing is mounted, and of the image only tables and the files
 * that are asked for are read. Throws CORRUPT_IMAGE, here and later.
 */
export async function imageTree(reader: PositionedReader, size: number): Promise<EtcTree> {
  const image = await openImage(reader, size);
  /** Where the files that were walked over lie, in bytes of the image. */
  const places = new Map<string, number>();
  return {
    hasXattrs: true,
    walk: (path) => walkImageEtc(image, path, places),
    async *read({ path, size }: EtcFile) {
      const place = places.get(path);
      if (place === undefined) throw corruptImage('a file that was listed', 'another', path);
      for (let done = 0; done < size; done += pieceSize) {
        yield await reader.read(place + done, Math.min(pieceSize, size - done));
      }
    },
  };
}

async function* walkImageEtc(
  image: Image,
  path: string,
  places: Map<string, number>,
): AsyncGenerator<EtcEntry> {
  const root = path === '' ? '/etc' : `/etc/${path}`;
  for await (const entry of walkFolder(image, root)) {
    const relative = entry.path.slice('/etc'.length).replace(/^\//, '');
    if (entry.kind === 'file') places.set(relative, entry.offset);
    yield toEtcEntry(entry, relative, image.superblock.time);
  }
}

function toEtcEntry(entry: ImageEntry, path: string, mtime: number): EtcEntry {
  const { uid, gid, xattrs } = entry;
  const common = { path, mode: entry.mode & 0o7777, uid, gid, xattrs };
  switch (entry.kind) {
    case 'file':
      return { ...common, kind: 'file', size: entry.size, mtime };
    case 'symlink':
      return { ...common, kind: 'symlink', target: entry.target, mtime };
    case 'directory':
      return { ...common, kind: 'directory' };
  }
}
