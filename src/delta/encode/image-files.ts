import type { Digest } from '../../image/digest.ts';
import { openImage } from '../../image/reader/open-image.ts';
import { walkInodes } from '../../image/reader/walk-image.ts';
import { inodeType, superblockSize } from '../../image/squashfs/format.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';

/** A file's content in an image, under the first of its paths. Bytes. */
export interface ImageFile {
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

/** An image to be read, which may know what is where without being read. */
export interface ImageReader extends PositionedReader {
  /** What has the bytes that begin at a place: the same name means the same bytes. */
  objectAt?(position: number): string | undefined;
}

/** An image cut into what is in it: superblock, contents, and tables up to the end. */
export interface ImageParts {
  readonly files: readonly ImageFile[];
  readonly superblock: ImageFile;
  readonly tables: ImageFile;
}

/** Takes an image apart. Reads its tables. Throws CORRUPT_IMAGE. */
export async function takeApart(image: PositionedReader, { size }: Digest): Promise<ImageParts> {
  const opened = await openImage(image, size);
  const found = new Map<number, ImageFile>();
  for await (const { path, inode } of walkInodes(opened)) {
    if (inode.type !== inodeType.file || inode.size === 0 || found.has(inode.start)) continue;
    found.set(inode.start, { path, offset: inode.start, size: inode.size });
  }
  const { inodeTable } = opened.superblock;
  return {
    files: [...found.values()].sort((a, b) => a.offset - b.offset),
    superblock: { path: 'the superblock', offset: 0, size: superblockSize },
    tables: { path: 'the tables', offset: inodeTable, size: size - inodeTable },
  };
}
