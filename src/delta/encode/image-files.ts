import { createHash } from 'node:crypto';
import type { Digest } from '../../image/digest.ts';
import { openImage } from '../../image/reader/open-image.ts';
import { walkImage } from '../../image/reader/walk-image.ts';
import { superblockSize } from '../../image/squashfs/format.ts';
import { readAhead } from '../../plan/read-back.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';

/** A file's content in an image, under the first of its paths. Bytes. */
export interface ImageFile {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
  /** SHA-256 of the content, in hex. */
  readonly content: string;
}

/** An image cut into what is in it: superblock, contents, and tables up to the end. */
export interface ImageParts {
  readonly files: readonly ImageFile[];
  readonly superblock: ImageFile;
  readonly tables: ImageFile;
}

/** Takes an image apart. Every content is read once, to be hashed. Throws CORRUPT_IMAGE. */
export async function takeApart(image: PositionedReader, { size }: Digest): Promise<ImageParts> {
  const opened = await openImage(image, size);
  const found = new Map<number, { path: string; offset: number; size: number }>();
  for await (const entry of walkImage(opened)) {
    if (entry.kind !== 'file' || entry.size === 0 || found.has(entry.offset)) continue;
    found.set(entry.offset, { path: entry.path, offset: entry.offset, size: entry.size });
  }
  const files: ImageFile[] = [];
  for (const file of [...found.values()].sort((a, b) => a.offset - b.offset)) {
    files.push({ ...file, content: await hashRange(image, file) });
  }
  const { inodeTable } = opened.superblock;
  return {
    files,
    superblock: { path: 'the superblock', offset: 0, size: superblockSize, content: '' },
    tables: { path: 'the tables', offset: inodeTable, size: size - inodeTable, content: '' },
  };
}

async function hashRange(
  image: PositionedReader,
  { offset, size }: { offset: number; size: number },
) {
  const hash = createHash('sha256');
  const range = { read: (at: number, length: number) => image.read(offset + at, length) };
  for await (const bytes of readAhead(range, size)) hash.update(bytes);
  return hash.digest('hex');
}
