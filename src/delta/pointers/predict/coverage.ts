import type { CopyList } from '../../match/copy-list.ts';

/** Ranges of an old file in their order, without overlaps, each with the number of one copy that has it. */
export interface Coverage {
  readonly count: number;
  readonly start: Int32Array;
  readonly end: Int32Array;
  readonly copy: Int32Array;
}

/** For every old byte that copies have, the longest of them; of equally long ones the first. */
export function coverOld(copies: CopyList): Coverage {
  const { oldStart, length, count } = copies;
  const order = Int32Array.from({ length: count }, (_, index) => index).sort(
    (a, b) => (oldStart[a] ?? 0) - (oldStart[b] ?? 0) || a - b,
  );
  // Each copy begins one range, and its end may begin one more.
  const start = new Int32Array(2 * count);
  const end = new Int32Array(2 * count);
  const copy = new Int32Array(2 * count);
  let ranges = 0;
  const add = (from: number, to: number, index: number): void => {
    if (from >= to) return;
    start[ranges] = from;
    end[ranges] = to;
    copy[ranges++] = index;
  };
  const endOf = (index: number): number => (oldStart[index] ?? 0) + (length[index] ?? 0);
  const open = new LongestFirst(length);
  let at = 0;
  let next = 0;
  while (next < count || open.top >= 0) {
    if (open.top < 0) at = oldStart[order[next] ?? 0] ?? 0;
    while (next < count && (oldStart[order[next] ?? 0] ?? 0) <= at) open.push(order[next++] ?? 0);
    const longest = open.top;
    const nextStart = next < count ? (oldStart[order[next] ?? 0] ?? 0) : Number.POSITIVE_INFINITY;
    // A shorter one that begins inside changes nothing.
    const to = Math.min(endOf(longest), nextStart);
    if (ranges > 0 && copy[ranges - 1] === longest && end[ranges - 1] === at) end[ranges - 1] = to;
    else add(at, to, longest);
    at = to;
    while (open.top >= 0 && endOf(open.top) <= at) open.pop();
  }
  return { count: ranges, start, end, copy };
}

/** A heap of copies, the longest on top. */
class LongestFirst {
  readonly #length: Int32Array;
  readonly #heap: number[] = [];

  constructor(length: Int32Array) {
    this.#length = length;
  }

  /** -1 when it is empty. */
  get top(): number {
    return this.#heap[0] ?? -1;
  }

  push(index: number): void {
    let at = this.#heap.push(index) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) break;
      this.#swap(at, parent);
      at = parent;
    }
  }

  pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const right = left + 1;
      let first = at;
      if (left < this.#heap.length && this.#isBefore(left, first)) first = left;
      if (right < this.#heap.length && this.#isBefore(right, first)) first = right;
      if (first === at) return;
      this.#swap(at, first);
      at = first;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const one = this.#heap[a] ?? 0;
    const other = this.#heap[b] ?? 0;
    const difference = (this.#length[one] ?? 0) - (this.#length[other] ?? 0);
    return difference > 0 || (difference === 0 && one < other);
  }

  #swap(a: number, b: number): void {
    const kept = this.#heap[a] ?? 0;
    this.#heap[a] = this.#heap[b] ?? 0;
    this.#heap[b] = kept;
  }
}
