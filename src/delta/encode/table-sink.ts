import { writeNumber } from '../curves/little-endian.ts';
import { ByteSink } from '../format/byte-sink.ts';
import { maxTables } from '../format/delta-format.ts';
import type { FoundTable } from './find-tables.ts';

/** Takes tables of points out of literals, and tells of them as the plan stream begins. All literals have to come by. */
export class TableSink {
  readonly #tables = new ByteSink();
  #count = 0;
  /** Bytes of the literals stream behind the last table. */
  #behind = 0;

  /** What is before the items of the plan. */
  get bytes(): Uint8Array {
    const all = new ByteSink();
    all.addNumber(this.#count);
    all.add(this.#tables.bytes);
    return all.bytes;
  }

  /** What the literals stream gets of literals: all but the tables, of which a delta has no more than `maxTables`. */
  *cut(literals: Uint8Array, tables: readonly FoundTable[]): Generator<Uint8Array, void> {
    let at = 0;
    for (const found of tables) {
      if (this.#count === maxTables) break;
      this.#behind += found.start - at;
      yield literals.subarray(at, found.start);
      this.#add(found);
      at = found.end;
    }
    this.#behind += literals.length - at;
    yield literals.subarray(at);
  }

  #add({ table }: FoundTable): void {
    const { curve, length, width, rowPoints, gap, doublings, x, y } = table;
    for (const number of [this.#behind, length, width, rowPoints, gap, doublings]) {
      this.#tables.addNumber(number);
    }
    const numbers = new Uint8Array(5 * width);
    const view = new DataView(numbers.buffer);
    [curve.p, curve.a, curve.r, x, y].forEach((number, index) => {
      writeNumber(view, index * width, width, number);
    });
    this.#tables.add(numbers);
    this.#behind = 0;
    this.#count++;
  }
}
