import type { ByteSource, ReadOptions } from '../ports/byte-source.ts';

/** A source that counts what it gives: `received` is the bytes of all files read so far. */
export class CountedSource implements ByteSource {
  readonly #source: ByteSource;
  #received = 0;

  constructor(source: ByteSource) {
    this.#source = source;
  }

  get name(): string {
    return this.#source.name;
  }

  get received(): number {
    return this.#received;
  }

  async *open(path: string, options: ReadOptions): AsyncIterable<Uint8Array> {
    for await (const bytes of this.#source.open(path, options)) {
      this.#received += bytes.length;
      yield bytes;
    }
  }

  close(): Promise<void> {
    return this.#source.close();
  }
}
