import { ByteSink } from '../format/byte-sink.ts';

/** The streams of a delta while they are made: docs/delta-format.md tells what is in each. */
export class DeltaSinks {
  readonly plan = new ByteSink();
  readonly control = new ByteSink();
  readonly runs = new ByteSink();
  readonly differences = new ByteSink();
  readonly literals = new ByteSink();
  /** Bytes that a decoder needs for what it decompresses of the old image, the most at a time. */
  scratch = 0;
  #zeros = 0;

  /** Adds what is to be added to reference bytes, byte by byte: runs of zeros, and the others. */
  addDifference(bytes: Uint8Array, reference: Uint8Array): void {
    if (Buffer.compare(bytes, reference) === 0) {
      this.#zeros += bytes.length;
      return;
    }
    for (let at = 0; at < bytes.length; at++) {
      const difference = ((bytes[at] ?? 0) - (reference[at] ?? 0)) & 255;
      if (difference === 0) {
        this.#zeros++;
        continue;
      }
      this.runs.addNumber(this.#zeros);
      this.differences.addByte(difference);
      this.#zeros = 0;
    }
  }

  /** The zeros behind the last difference. */
  finish(): void {
    this.runs.addNumber(this.#zeros);
    this.#zeros = 0;
  }
}
