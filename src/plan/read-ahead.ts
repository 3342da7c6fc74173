import { pageAlignedBuffer, pagesRoom, readPages } from '../ports/page-aligned.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';

/** Two buffers to read ahead into, each for pieces of so many bytes at most: a multiple of a page. */
export class ReadAhead {
  readonly #pieceSize: number;
  readonly #buffers: readonly [Buffer, Buffer];

  constructor(pieceSize = 1 << 20) {
    this.#pieceSize = pieceSize;
    const room = pagesRoom(pieceSize);
    const memory = pageAlignedBuffer(2 * room);
    this.#buffers = [memory.subarray(0, room), memory.subarray(room)];
  }

  /**
   * `length` bytes of a device from `from` on, in order, in pieces that are good until the next is asked for.
   * The next read is under way while one is used, into the other buffer (S9). Only one such reading at a time.
   */
  async *read(reader: PositionedReader, from: number, length: number): AsyncGenerator<Buffer> {
    const end = from + length;
    let count = 0;
    let position = from;
    const begin = (): Promise<Buffer> | undefined => {
      if (position >= end) return undefined;
      // Pieces end at multiples of their size, so that no page is read twice.
      const to = Math.min(end, position - (position % this.#pieceSize) + this.#pieceSize);
      const buffer = this.#buffers[count % 2 === 0 ? 0 : 1];
      const bytes = readPages(reader, position, to - position, buffer);
      // Whoever awaits it gets the error; if nobody does any more it is no news.
      bytes.catch(() => undefined);
      position = to;
      count++;
      return bytes;
    };
    let next = begin();
    try {
      while (next !== undefined) {
        const bytes = await next;
        next = begin();
        yield bytes;
      }
    } finally {
      // The next reading uses the same buffers.
      await next?.catch(() => undefined);
    }
  }
}
