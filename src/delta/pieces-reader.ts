import type { PositionedReader } from '../ports/positioned-reader.ts';

/** Reads pieces in memory as if they were one file, without putting them together. */
export function piecesReader(pieces: readonly Uint8Array[]): PositionedReader {
  const size = pieces.reduce((sum, { length }) => sum + length, 0);
  return {
    size,
    async read(position, length) {
      if (position + length > size) throw new RangeError('read beyond the end');
      const bytes = Buffer.alloc(length);
      let start = 0;
      for (const piece of pieces) {
        const from = Math.max(0, position - start);
        const to = Math.min(piece.length, position + length - start);
        if (from < to) bytes.set(piece.subarray(from, to), start + from - position);
        start += piece.length;
      }
      return bytes;
    },
  };
}
