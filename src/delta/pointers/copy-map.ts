import type { CopyList } from '../match/copy-list.ts';
import { type Coverage, coverOld } from './coverage.ts';

/** Tells where an old file's bytes lie in the new one, by the copies between them. */
export class CopyMap {
  readonly #copies: CopyList;
  readonly #coverage: Coverage;

  constructor(copies: CopyList) {
    this.#copies = copies;
    this.#coverage = coverOld(copies);
  }

  /** How far an old byte moved, by the copy `hint`, one beside it, or the best of all. */
  shiftOf(offset: number, hint: number): number {
    if (this.#has(hint, offset)) return this.#shift(hint);
    if (this.#has(hint - 1, offset)) return this.#shift(hint - 1);
    if (this.#has(hint + 1, offset)) return this.#shift(hint + 1);
    return this.#shift(this.best(offset));
  }

  /** The number of the longest copy that an old byte is in, else of the nearest; -1 when there are none. */
  best(offset: number): number {
    const { start, end, copy, count } = this.#coverage;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((start[middle] ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    if (count === 0) return -1;
    if (low === 0) return copy[0] ?? -1;
    const distance = offset - (end[low - 1] ?? 0) + 1;
    const isBehindNearer = low < count && (start[low] ?? 0) - offset < distance;
    return copy[isBehindNearer ? low : low - 1] ?? -1;
  }

  #has(index: number, offset: number): boolean {
    if (index < 0 || index >= this.#copies.count) return false;
    const inside = offset - (this.#copies.oldStart[index] ?? 0);
    return inside >= 0 && inside < (this.#copies.length[index] ?? 0);
  }

  #shift(index: number): number {
    if (index < 0) return 0;
    return (this.#copies.newStart[index] ?? 0) - (this.#copies.oldStart[index] ?? 0);
  }
}
