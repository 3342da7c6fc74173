/** Reads a stream's first bytes in pieces of known length, and then the rest as it comes. */
export class PrefixReader {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #left: Uint8Array = new Uint8Array(0);

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#pieces = stream[Symbol.asyncIterator]();
  }

  /** The next `length` bytes; fewer only at the end of the stream. */
  async take(length: number): Promise<Buffer> {
    const taken: Uint8Array[] = [];
    let missing = length;
    while (missing > 0) {
      if (this.#left.length === 0) {
        const next = await this.#pieces.next();
        if (next.done === true) break;
        this.#left = next.value;
      }
      const piece = this.#left.subarray(0, missing);
      taken.push(piece);
      missing -= piece.length;
      this.#left = this.#left.subarray(piece.length);
    }
    return Buffer.concat(taken);
  }

  /** What was not taken. */
  async *rest(): AsyncGenerator<Uint8Array> {
    if (this.#left.length > 0) yield this.#left;
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done === true) return;
      yield next.value;
    }
  }

  /** Lets go of the stream, read to its end or not. */
  async close(): Promise<void> {
    await this.#pieces.return?.();
  }
}
