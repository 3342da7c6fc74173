import type { CopyList } from '../../match/copy-list.ts';
import { type Coverage, coverOld } from './coverage.ts';

/** Tells where an old file's bytes lie in the new one, by the copies between them. */
export class CopyMap {
  readonly #copies: CopyList;
  readonly #coverage: Coverage;

  constructor(copies: CopyList) {
    this.#copies = copies;
    this.#coverage = coverOld(copies);
  }

  /** Whether the copy `hint`, the one before it, or else the one behind it has an old byte: its number, or -1. */
  near(offset: number, hint: number): number {
    if (this.has(hint, offset)) return hint;
    if (this.has(hint - 1, offset)) return hint - 1;
    return this.has(hint + 1, offset) ? hint + 1 : -1;
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

  /** Whether a copy has an old byte. */
  has(index: number, offset: number): boolean {
    if (index < 0 || index >= this.#copies.count) return false;
    const inside = offset - (this.#copies.oldStart[index] ?? 0);
    return inside >= 0 && inside < (this.#copies.length[index] ?? 0);
  }

  /** How far a copy's bytes moved. */
  shift(index: number): number {
    if (index < 0) return 0;
    return (this.#copies.newStart[index] ?? 0) - (this.#copies.oldStart[index] ?? 0);
  }
}
