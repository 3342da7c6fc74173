import type { SourceContent, SourceDirectory, SourceNode } from '../build/source-node.ts';
import { openImage } from '../image/reader/open-image.ts';
import { type ImageEntry, walkImage } from '../image/reader/walk-image.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';

const pieceSize = 256 * 1024;

/** The tree that an image holds, as one to commit. Throws CORRUPT_IMAGE. */
export async function imageSource(image: PositionedReader, size: number): Promise<SourceDirectory> {
  const open = await openImage(image, size);
  const directories = new Map<string, SourceDirectory>();
  for await (const entry of walkImage(open)) {
    const { path } = entry;
    const node = nodeOf(entry, image);
    if (node.kind === 'directory') directories.set(path, node);
    const slash = path.lastIndexOf('/');
    const parent = directories.get(path.slice(0, slash) || '/');
    if (path !== '/') parent?.entries.set(path.slice(slash + 1), node);
  }
  const root = directories.get('/');
  if (root === undefined) throw new TypeError('an image has a root');
  return root;
}

function nodeOf(entry: ImageEntry, image: PositionedReader): SourceNode {
  const { mode, uid, gid, xattrs } = entry;
  const metadata = { mode, uid, gid, xattrs };
  switch (entry.kind) {
    case 'directory':
      return { ...metadata, kind: 'directory', entries: new Map() };
    case 'symlink':
      return { ...metadata, kind: 'symlink', target: entry.target };
    case 'file':
      return { ...metadata, kind: 'file', content: rangeOf(image, entry.offset, entry.size) };
  }
}

function rangeOf(image: PositionedReader, offset: number, size: number): SourceContent {
  return {
    size,
    async *open(room) {
      for (let at = 0; at < size; ) {
        const given = (await room?.()) ?? Buffer.allocUnsafe(pieceSize);
        const piece = await image.read(offset + at, Math.min(given.length, size - at), given);
        at += piece.length;
        yield piece;
      }
    },
  };
}
