import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import { pageSize } from '../sites.ts';
import type { Section } from './elf.ts';

/** Records of more bytes than this are not looked at: bounds memory (two bytes for each 4 KiB of it). */
const maxSize = 64 << 20;
const readSize = 64 << 10;

/** Where in each page of a file the first record of a kind begins. */
export interface PageStarts {
  firstIn(page: number): number | undefined;
}

/** Where records begin that follow each other, and where in the file the last one ends. */
export interface RecordStarts {
  readonly starts: PageStarts;
  readonly end: number;
}

/** What tells how long records are that follow each other. */
export interface RecordKind {
  /** Bytes of a record that tell its length. */
  readonly ahead: number;
  /** No more records are looked at. */
  readonly most: number;
  lengthOf(bytes: Buffer, at: number): number;
}

/**
 * Records have a length in front and no mark between them: only a walk from the first one tells where the others begin.
 * `undefined` when there are too many.
 */
export async function findRecordStarts(
  file: PositionedReader,
  { offset, size }: Pick<Section, 'offset' | 'size'>,
  { ahead, most, lengthOf }: RecordKind,
): Promise<RecordStarts | undefined> {
  if (size > maxSize) return undefined;
  const firstPage = Math.floor(offset / pageSize);
  const end = offset + size;
  const starts = new Int16Array(Math.ceil(end / pageSize) - firstPage).fill(-1);
  const memory = Buffer.allocUnsafe(readSize + ahead - 1);
  let next = offset;
  let count = 0;
  for (let at = offset; at < end && count < most; at += readSize) {
    // A few more bytes than a piece, so that nothing that tells a length lies on the border of two.
    const bytes = await file.read(at, Math.min(memory.length, end - at), memory);
    for (; next < at + readSize && next + ahead <= end && count < most; count++) {
      const page = Math.floor(next / pageSize);
      if (starts[page - firstPage] === -1) starts[page - firstPage] = next - page * pageSize;
      next += lengthOf(bytes, next - at);
    }
  }
  const firstIn = (page: number): number | undefined => {
    const start = starts[page - firstPage];
    return start === undefined || start < 0 ? undefined : start;
  };
  return { starts: { firstIn }, end: Math.min(next, end) };
}
