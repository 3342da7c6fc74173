import type { PlacedTable } from './read-tables.ts';

/** Tells of literals, taken in their order, how many are computed and not in the stream. */
export class ComputedCount {
  readonly #tables: readonly PlacedTable[];
  #next = 0;
  /** Bytes before the next table, and of it, that were not taken yet. */
  #before: number;
  #left: number;

  constructor(tables: readonly PlacedTable[]) {
    this.#tables = tables;
    this.#before = tables[0]?.before ?? 0;
    this.#left = tables[0]?.table.length ?? 0;
  }

  /** Takes so many literals: how many of them are a table's. */
  take(literals: number): number {
    let computed = 0;
    for (let rest = literals; rest > 0 && this.#next < this.#tables.length; ) {
      const before = Math.min(rest, this.#before);
      const taken = Math.min(rest - before, this.#left);
      this.#before -= before;
      this.#left -= taken;
      computed += taken;
      rest -= before + taken;
      if (this.#left > 0) continue;
      const { before: nextBefore = 0, table } = this.#tables[++this.#next] ?? {};
      this.#before = nextBefore;
      this.#left = table?.length ?? 0;
    }
    return computed;
  }
}
