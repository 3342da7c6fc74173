import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Section } from './elf.ts';
import { pageSize } from './sites.ts';

/** Frames of more bytes than this are not looked at: bounds memory (two bytes for each 4 KiB of it). */
const maxFrames = 64 << 20;
const readSize = 64 << 10;

/** Where in each page of a file the first frame begins. */
export interface FrameStarts {
  firstIn(page: number): number | undefined;
}

/**
 * Frames have a length in front and no mark between them: only a walk from the first one tells where
 * the others begin. `undefined` when they are not what they should be.
 */
export async function findFrameStarts(
  file: PositionedReader,
  { offset, size }: Section,
): Promise<FrameStarts | undefined> {
  if (size > maxFrames) return undefined;
  const firstPage = Math.floor(offset / pageSize);
  const end = offset + size;
  const starts = new Int16Array(Math.ceil(end / pageSize) - firstPage).fill(-1);
  const memory = Buffer.allocUnsafe(readSize + 3);
  let next = offset;
  for (let at = offset; at < end; at += readSize) {
    // Three more bytes than a piece, so that no length lies on the border of two.
    const bytes = await file.read(at, Math.min(readSize + 3, end - at), memory);
    while (next < at + readSize && next + 4 <= end) {
      const page = Math.floor(next / pageSize);
      if (starts[page - firstPage] === -1) starts[page - firstPage] = next - page * pageSize;
      next += 4 + bytes.readUInt32LE(next - at);
    }
  }
  return {
    firstIn(page) {
      const start = starts[page - firstPage];
      return start === undefined || start < 0 ? undefined : start;
    },
  };
}
