import { BitOutput } from './bit-output.ts';
import { BlockOutput } from './block-output.ts';
import { BlockSymbols } from './block-symbols.ts';
import { leastMatch } from './deflate-format.ts';
import type { Effort, GzipProgram } from './effort.ts';
import { MatchWindow } from './match-window.ts';

/** A match of three bytes that lies farther back takes more than three bytes. */
const tooFar = 4096;

/**
 * Compresses content of a size that is known, choosing as gzip does: a match is written unless there is a longer one
 * at the next byte. Memory: some 450 KiB, used again for other content.
 */
export class Deflater {
  readonly window = new MatchWindow();
  readonly #symbols = new BlockSymbols();
  readonly #output = new BitOutput();
  readonly #blocks = new BlockOutput(this.#output);
  /** The length of the match at the byte before; less than `leastMatch` for none. */
  #length = leastMatch - 1;
  /** Whether the byte before is still to be written. */
  #isWaiting = false;
  /** Where the block ends that is complete. */
  #blockEnd = 0;

  /** Begins with new content. */
  enter(size: number, effort: Effort, program: GzipProgram): void {
    this.window.enter(size, effort, program);
    this.#symbols.enter(program);
    this.#output.clear();
    this.#length = leastMatch - 1;
    this.#isWaiting = false;
    this.#blockEnd = 0;
  }

  /** Compressed bytes, each piece good until the next is asked for; `undefined` while `window` misses something. */
  *compress(): Generator<Uint8Array | undefined> {
    const { window } = this;
    for (;;) {
      while (window.missing > 0) yield undefined;
      if (window.ahead === 0) break;
      if (!this.#goOn()) continue;
      yield* this.#endBlock(false);
      window.hasEnough();
    }
    if (this.#isWaiting) this.#symbols.addLiteral(this.#byteBefore());
    this.#blockEnd = window.at;
    yield* this.#endBlock(true);
    yield this.#output.take();
  }

  /** Goes on until a block is complete, which is told by `true`, or bytes are missing, or none are left. */
  #goOn(): boolean {
    const { window } = this;
    do {
      if (this.#step()) return true;
    } while (window.hasEnough() && window.ahead > 0);
    return false;
  }

  /** Writes what is certain now, and tells whether that completes a block. */
  #step(): boolean {
    const { window } = this;
    const candidate = window.insert(window.at);
    const length = this.#length;
    const match = window.found;
    this.#length = this.#search(candidate, length);
    if (length >= leastMatch && this.#length <= length) {
      this.#symbols.addMatch(window.at - 1 - match, length);
      const isComplete = this.#isComplete();
      this.#pass(length - 1);
      this.#length = leastMatch - 1;
      this.#isWaiting = false;
      this.#blockEnd = window.at;
      return isComplete;
    }
    let isComplete = false;
    if (this.#isWaiting) {
      this.#symbols.addLiteral(this.#byteBefore());
      isComplete = this.#isComplete();
      this.#blockEnd = window.at;
    }
    this.#isWaiting = true;
    window.advance();
    return isComplete;
  }

  #isComplete(): boolean {
    return this.#symbols.shouldEnd(this.window.at - this.window.blockStart);
  }

  #byteBefore(): number {
    return this.window.bytes[this.window.at - 1] ?? 0;
  }

  #search(candidate: number, least: number): number {
    const { window } = this;
    if (!window.isWorth(candidate, least)) return leastMatch - 1;
    const length = Math.min(window.longest(candidate, least), window.ahead);
    return length === leastMatch && window.at - window.found > tooFar ? leastMatch - 1 : length;
  }

  /** Goes on behind a match, of which the first byte is known already. */
  #pass(length: number): void {
    const { window } = this;
    for (let left = length; left > 1; left--) {
      window.advance();
      window.insert(window.at);
    }
    window.advance();
  }

  *#endBlock(isLast: boolean): Generator<Uint8Array> {
    const { window } = this;
    const start = window.blockStart;
    const stored = start >= 0 ? window.bytes.subarray(start, this.#blockEnd) : undefined;
    const size = this.#blockEnd - start;
    for (const _ of this.#blocks.write(this.#symbols, size, stored, isLast)) {
      yield this.#output.take();
    }
    this.#symbols.clear();
    window.blockStart = this.#blockEnd;
  }
}
