import { corruptTar } from './corrupt-tar.ts';

/** Reads a stream in pieces of exact lengths. */
export class ByteReader {
  #rest: Uint8Array = Buffer.of();
  #offset = 0;
  readonly #source: AsyncIterator<Uint8Array>;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** How many bytes were read. */
  get offset(): number {
    return this.#offset;
  }

  /** The next `length` bytes; fewer only at the end. Callers bound `length` (S5). */
  async read(length: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.#upTo(length)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Streams exactly `length` bytes. Throws CORRUPT_TAR when there are fewer. */
  async *stream(length: number): AsyncGenerator<Uint8Array> {
    let left = length;
    for await (const piece of this.#upTo(length)) {
      left -= piece.length;
      yield piece;
    }
    if (left > 0) {
      throw corruptTar('the archive is cut short', `${left} bytes more`, 'its end', this.#offset);
    }
  }

  /** Reads what is left and drops it: a compressed stream is checked at its end. */
  async drain(): Promise<void> {
    for await (const piece of this.#upTo(Number.POSITIVE_INFINITY)) void piece;
  }

  /** Lets go of the source, which may not be at its end. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  async *#upTo(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) return;
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      this.#offset += piece.length;
      left -= piece.length;
      if (piece.length > 0) yield piece;
    }
  }
}
