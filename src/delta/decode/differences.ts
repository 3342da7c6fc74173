import { corruptDelta } from '../format/corrupt-delta.ts';
import type { StreamReader } from './stream-reader.ts';

/** The longest run number takes so many bytes. */
const runBytes = 7;

/** Adds the differences to reference bytes as they come: runs of zeros, and one byte behind each. */
export class Differences {
  readonly #runs: StreamReader;
  readonly #bytes: StreamReader;
  readonly #where: string;
  /** Zeros before the next difference; -1: the next run was not read yet. */
  #zeros = -1;

  constructor(runs: StreamReader, bytes: StreamReader, where: string) {
    this.#runs = runs;
    this.#bytes = bytes;
    this.#where = where;
  }

  async addTo(reference: Uint8Array): Promise<void> {
    for (let at = 0; ; ) {
      if (this.#zeros < 0) {
        if (!this.#runs.has(runBytes)) await this.#runs.fill(runBytes);
        this.#zeros = this.#runs.takeNumber();
      }
      if (this.#zeros >= reference.length - at) {
        this.#zeros -= reference.length - at;
        return;
      }
      at += this.#zeros;
      if (!this.#bytes.has(1)) await this.#bytes.fill(1);
      reference[at] = (reference[at] ?? 0) + this.#bytes.takeByte();
      at++;
      this.#zeros = -1;
    }
  }

  /** Sees that the zeros behind the last difference were all used. */
  async finish(): Promise<void> {
    if (this.#zeros < 0) this.#zeros = await this.#runs.number();
    if (this.#zeros === 0) return;
    throw corruptDelta('no more zeros', `${this.#zeros}`, this.#where);
  }
}
