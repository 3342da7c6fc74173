import { leastMatch, openLength } from './block-format.ts';
import type { BlockWindow } from './block-window.ts';

/** Compressed bytes are given out when there are so many. */
const pieceSize = 65536;
/** Room for a piece, literals of the same length, and the longest lengths that a block of 8 MiB has. */
const room = 3 * pieceSize;
/** More literals than that are copied as one. */
const fewLiterals = 32;

/** Writes a block's sequences: literals from the end of the last match on, and a match. */
export class SequenceOutput {
  readonly #output = new Uint8Array(room);
  readonly #window: BlockWindow;
  #filled = 0;
  /** Where the next sequence's literals begin. */
  #literals = 0;
  /** Where literals end that are given out as they lie in the block, and the match behind them. */
  #long: { readonly at: number; readonly match: number; readonly length: number } | undefined;

  constructor(window: BlockWindow) {
    this.#window = window;
  }

  /** Begins with a new block. */
  enter(): void {
    this.#filled = 0;
    this.#literals = 0;
  }

  /** From here on the block is still to be written. */
  get written(): number {
    return this.#literals;
  }

  /** Writes the literals before `at`, and a match there. Returns true when `take` is to be asked for what there is. */
  put(at: number, match: number, length: number): boolean {
    const literals = at - this.#literals;
    this.#putToken(literals, length - leastMatch);
    if (literals > pieceSize) {
      this.#long = { at, match, length };
      return true;
    }
    this.#copyLiterals(at);
    this.#putMatch(at, match, length);
    return this.#filled >= pieceSize;
  }

  /** All that was written since it was taken last. */
  *take(): Generator<Uint8Array> {
    yield this.#output.subarray(0, this.#filled);
    this.#filled = 0;
    if (this.#long === undefined) return;
    const { at, match, length } = this.#long;
    this.#long = undefined;
    yield this.#window.slice(this.#literals, at);
    this.#putMatch(at, match, length);
  }

  /** The literals that are left, and what was not taken yet. */
  *finish(): Generator<Uint8Array> {
    const { size } = this.#window;
    this.#putToken(size - this.#literals, 0);
    yield* this.take();
    if (this.#literals < size) yield this.#window.slice(this.#literals, size);
  }

  #putToken(literals: number, matchCode: number): void {
    const high = Math.min(literals, openLength);
    this.#output[this.#filled++] = (high << 4) | Math.min(matchCode, openLength);
    if (high === openLength) this.#putRest(literals - openLength);
  }

  #putRest(length: number): void {
    let rest = length;
    for (; rest >= 255; rest -= 255) this.#output[this.#filled++] = 255;
    this.#output[this.#filled++] = rest;
  }

  #copyLiterals(end: number): void {
    const output = this.#output;
    if (end - this.#literals > fewLiterals) {
      output.set(this.#window.slice(this.#literals, end), this.#filled);
      this.#filled += end - this.#literals;
      return;
    }
    const { bytes, start } = this.#window;
    let filled = this.#filled;
    for (let at = this.#literals; at < end; at++) output[filled++] = bytes[at - start] ?? 0;
    this.#filled = filled;
  }

  #putMatch(at: number, match: number, length: number): void {
    const distance = at - match;
    this.#output[this.#filled++] = distance;
    this.#output[this.#filled++] = distance >> 8;
    if (length - leastMatch >= openLength) this.#putRest(length - leastMatch - openLength);
    this.#literals = at + length;
  }
}
