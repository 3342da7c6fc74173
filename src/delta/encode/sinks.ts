import { ByteSink } from '../format/byte-sink.ts';
import { deltaVersions } from '../format/delta-format.ts';
import type { FoundTable } from './find-tables.ts';
import { TableSink } from './table-sink.ts';

/** The streams of a delta while they are made: docs/delta-format.md tells what is in each. */
export class DeltaSinks {
  readonly plan = new ByteSink();
  readonly control = new ByteSink();
  readonly runs = new ByteSink();
  readonly differences = new ByteSink();
  /** Where tables are possible, `addLiterals` fills it. */
  readonly literals = new ByteSink();
  /** Bytes that a decoder needs for what it decompresses of the old image, the most at a time. */
  scratch = 0;
  /** The lowest version of the format that has all that is used. */
  version: number = deltaVersions.oldest;
  #zeros = 0;
  /** What `addLiterals` or another way to write literals took out of them. */
  readonly tables = new TableSink();

  /** Adds literals, but for the tables that are in them, which a decoder makes. */
  addLiterals(bytes: Uint8Array, tables: readonly FoundTable[] = []): void {
    for (const piece of this.tables.cut(bytes, tables)) this.literals.add(piece);
  }

  /** The plan stream: tables, and the items behind them. */
  planBytes(): Uint8Array {
    return Buffer.concat([this.tables.bytes, this.plan.bytes]);
  }

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
