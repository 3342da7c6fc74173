import { NoPoint } from '../curves/curve-points.ts';
import { tableRows } from '../curves/curve-table.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import type { PlacedTable } from './read-tables.ts';
import type { StreamReader } from './stream-reader.ts';

/** The new image's literal bytes: those of the stream, and between them tables that are computed. A row of one is in memory. */
export class Literals {
  readonly #stream: StreamReader;
  readonly #tables: readonly PlacedTable[];
  readonly #where: string;
  /** The table that comes next, or is being made, and bytes of the stream before it. */
  #next = 0;
  #before = 0;
  /** Its rows, how many of its bytes were not used yet, and those of them that are made. */
  #rows: Iterator<Uint8Array, void> | undefined;
  #left = 0;
  #row: Uint8Array = new Uint8Array(0);

  constructor(stream: StreamReader, tables: readonly PlacedTable[], where: string) {
    this.#stream = stream;
    this.#tables = tables;
    this.#where = where;
    this.#expectTable(0);
  }

  /** Fills `target` with the next bytes. Throws CORRUPT_DELTA. */
  readInto(target: Uint8Array): Promise<void> {
    if (target.length > this.#before) return this.#readAcross(target);
    this.#before -= target.length;
    return this.#stream.readInto(target);
  }

  /** Sees that nothing is left. */
  async finish(): Promise<void> {
    if (this.#next < this.#tables.length) {
      throw corruptDelta('all tables used', `${this.#left} bytes of one left`, this.#where);
    }
    await this.#stream.finish();
  }

  async #readAcross(target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      const rest = target.subarray(done);
      if (this.#before > 0) {
        const bytes = rest.subarray(0, this.#before);
        await this.#stream.readInto(bytes);
        this.#before -= bytes.length;
        done += bytes.length;
      } else {
        done += this.#compute(rest);
      }
    }
  }

  /** Takes bytes of the table: as many as its row has, or as there is room for. */
  #compute(target: Uint8Array): number {
    if (this.#row.length === 0) this.#row = this.#nextRow();
    const bytes = this.#row.subarray(0, target.length);
    target.set(bytes);
    this.#row = this.#row.subarray(bytes.length);
    this.#left -= bytes.length;
    if (this.#left === 0) this.#expectTable(this.#next + 1);
    return bytes.length;
  }

  #expectTable(number: number): void {
    const next = this.#tables[number];
    this.#next = number;
    this.#before = next?.before ?? Number.POSITIVE_INFINITY;
    this.#left = next?.table.length ?? 0;
    this.#rows = next && tableRows(next.table);
  }

  #nextRow(): Uint8Array {
    try {
      const row = this.#rows?.next();
      if (row === undefined || row.done)
        throw new TypeError('a table has as many bytes as it says');
      return row.value;
    } catch (error) {
      if (!(error instanceof NoPoint)) throw error;
      throw corruptDelta('a table of points of a curve', error.message, this.#where);
    }
  }
}
