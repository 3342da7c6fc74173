import { type Alphabet, HuffmanCode } from './huffman-code.ts';

/** A code has two symbols at least, used or not. */
const leastSymbols = 2;

/**
 * Makes the Huffman code of an alphabet from how often its symbols are used. Of several that are as good it is
 * the one of gzip: it depends on the order of a heap.
 */
export class CodeBuilder {
  readonly code: HuffmanCode;
  readonly #alphabet: Alphabet;
  /** Of symbols, and of nodes behind them. */
  readonly #uses: Uint32Array;
  readonly #depth: Uint8Array;
  readonly #parent: Uint16Array;
  /** From 1 on the heap, whose first has the fewest uses; from the end on what was taken out, the last taken first. */
  readonly #heap: Uint16Array;
  #heapSize = 0;
  #sorted = 0;

  constructor(alphabet: Alphabet) {
    const nodes = 2 * alphabet.size + 1;
    this.#alphabet = alphabet;
    this.code = new HuffmanCode(alphabet.size);
    this.#uses = new Uint32Array(nodes);
    this.#depth = new Uint8Array(nodes);
    this.#parent = new Uint16Array(nodes);
    this.#heap = new Uint16Array(nodes);
  }

  build(uses: Uint32Array): HuffmanCode {
    const { code } = this;
    code.bits.fill(0);
    code.size = 0;
    code.fixedSize = 0;
    this.#collect(uses);
    for (let index = this.#heapSize >> 1; index >= 1; index--) this.#sink(index);
    const root = this.#join();
    this.#measure(root);
    code.assign();
    return code;
  }

  #collect(uses: Uint32Array): void {
    const { size, fixedBits } = this.#alphabet;
    const { code } = this;
    let last = -1;
    this.#heapSize = 0;
    this.#sorted = this.#heap.length;
    for (let symbol = 0; symbol < size; symbol++) {
      const count = uses[symbol] ?? 0;
      this.#uses[symbol] = count;
      if (count === 0) continue;
      this.#addToHeap(symbol);
      last = symbol;
    }
    while (this.#heapSize < leastSymbols) {
      const symbol = last < leastSymbols ? ++last : 0;
      this.#uses[symbol] = 1;
      this.#addToHeap(symbol);
      // It is never written.
      code.size--;
      code.fixedSize -= fixedBits?.[symbol] ?? 0;
    }
    code.last = last;
  }

  #addToHeap(symbol: number): void {
    this.#heap[++this.#heapSize] = symbol;
    this.#depth[symbol] = 0;
  }

  /** Makes nodes of the two that are used least, until one is left: the root. */
  #join(): number {
    const heap = this.#heap;
    for (let node = this.#alphabet.size; ; node++) {
      const first = heap[1] ?? 0;
      heap[1] = heap[this.#heapSize--] ?? 0;
      this.#sink(1);
      const second = heap[1] ?? 0;
      heap[--this.#sorted] = first;
      heap[--this.#sorted] = second;
      this.#uses[node] = (this.#uses[first] ?? 0) + (this.#uses[second] ?? 0);
      this.#depth[node] = Math.max(this.#depth[first] ?? 0, this.#depth[second] ?? 0) + 1;
      this.#parent[first] = node;
      this.#parent[second] = node;
      heap[1] = node;
      this.#sink(1);
      if (this.#heapSize < 2) {
        heap[--this.#sorted] = node;
        return node;
      }
    }
  }

  #isLess(one: number, other: number): boolean {
    const difference = (this.#uses[one] ?? 0) - (this.#uses[other] ?? 0);
    if (difference !== 0) return difference < 0;
    return (this.#depth[one] ?? 0) <= (this.#depth[other] ?? 0);
  }

  /** Moves what is at an index down to where both below it are larger. */
  #sink(index: number): void {
    const heap = this.#heap;
    const moved = heap[index] ?? 0;
    let at = index;
    for (let child = 2 * at; child <= this.#heapSize; child = 2 * at) {
      if (child < this.#heapSize && this.#isLess(heap[child + 1] ?? 0, heap[child] ?? 0)) child++;
      const smaller = heap[child] ?? 0;
      if (this.#isLess(moved, smaller)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = moved;
  }

  /** The bits of each symbol, from the root on; then as many are made shorter as are too long. */
  #measure(root: number): void {
    const { size, longest } = this.#alphabet;
    /** Bits of each node: those of symbols are in the code. */
    const nodeBits = new Uint8Array(this.#uses.length);
    const counts = new Uint16Array(longest + 2);
    let tooLong = 0;
    for (let index = this.#sorted + 1; index < this.#heap.length; index++) {
      const node = this.#heap[index] ?? 0;
      let bits = (nodeBits[this.#parent[node] ?? root] ?? 0) + 1;
      if (bits > longest) {
        bits = longest;
        tooLong++;
      }
      nodeBits[node] = bits;
      if (node >= size) continue;
      this.code.bits[node] = bits;
      counts[bits] = (counts[bits] ?? 0) + 1;
    }
    if (tooLong > 0) this.#shorten(counts, tooLong);
    this.#sum();
  }

  #shorten(counts: Uint16Array, tooLong: number): void {
    const { size, longest } = this.#alphabet;
    for (let left = tooLong; left > 0; left -= 2) {
      let bits = longest - 1;
      while (counts[bits] === 0) bits--;
      counts[bits] = (counts[bits] ?? 0) - 1;
      counts[bits + 1] = (counts[bits + 1] ?? 0) + 2;
      counts[longest] = (counts[longest] ?? 0) - 1;
    }
    // The least used, which were taken out first, get the longest.
    let index = this.#heap.length;
    for (let bits = longest; bits > 0; bits--) {
      for (let left = counts[bits] ?? 0; left > 0; ) {
        const node = this.#heap[--index] ?? 0;
        if (node >= size) continue;
        this.code.bits[node] = bits;
        left--;
      }
    }
  }

  #sum(): void {
    const { size, extra, extraFrom, fixedBits } = this.#alphabet;
    const { code } = this;
    for (let symbol = 0; symbol < size; symbol++) {
      const uses = this.#uses[symbol] ?? 0;
      const behind = symbol >= extraFrom ? (extra[symbol - extraFrom] ?? 0) : 0;
      code.size += uses * ((code.bits[symbol] ?? 0) + behind);
      if (fixedBits) code.fixedSize += uses * ((fixedBits[symbol] ?? 0) + behind);
    }
  }
}
