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

  /** A promise only where the streams have to be waited for, which is rare: pieces are small. */
  addTo(reference: Uint8Array): Promise<void> | undefined {
    const at = this.#add(reference, 0);
    return at < 0 ? undefined : this.#addRest(reference, at);
  }

  async #addRest(reference: Uint8Array, from: number): Promise<void> {
    for (let at = from; at >= 0; at = this.#add(reference, at)) {
      if (this.#zeros < 0) await this.#runs.fill(runBytes);
      else await this.#bytes.fill(1);
    }
  }

  /** Adds from byte `from` on what the streams have; -1 when that was all, else how far it came. */
  #add(reference: Uint8Array, from: number): number {
    for (let at = from; ; ) {
      if (this.#zeros < 0) {
        if (!this.#runs.has(runBytes)) return at;
        this.#zeros = this.#runs.takeNumber();
      }
      if (this.#zeros >= reference.length - at) {
        this.#zeros -= reference.length - at;
        return -1;
      }
      if (!this.#bytes.has(1)) return at;
      at += this.#zeros;
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
