import { longestDistance } from './block-format.ts';

/** Bytes that are there at a time, unless more are needed at once. */
const usualSize = 512 << 10;
const history = longestDistance + 1;

/**
 * The part of a block that compressing it needs at a time (S9). Only where a match or literals are longer than that, it may
 * become all the rest of the block: in a kernel those are runs of zeros, which take no memory as long as nobody writes them.
 */
export class BlockWindow {
  readonly #usual = new Uint8Array(usualSize);
  #bytes = this.#usual;
  #view = viewOf(this.#usual);
  /** Bytes of the block: all of it, before the window, in the window, and those that are to be there next. */
  #size = 0;
  #start = 0;
  #filled = 0;
  #wanted = 0;
  /** What is behind this in the window was not written yet, and is zeros. */
  #written = 0;

  /** Begins with a new block of `size` bytes. */
  enter(size: number): void {
    this.#size = size;
    this.#start = 0;
    this.#filled = 0;
    this.#useUsual();
  }

  /** The window, good until there is to be more in it. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The same for numbers. */
  get view(): DataView {
    return this.#view;
  }

  /** Bytes that the block has. */
  get size(): number {
    return this.#size;
  }

  /** Where in the block the window begins, and where that ends which is there. */
  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#start + this.#filled;
  }

  /** What is between two places of the block. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.subarray(from - this.#start, to - this.#start);
  }

  /** Bytes that are to be added. */
  get missing(): number {
    return Math.min(this.#wanted, this.#size - this.#start) - this.#filled;
  }

  /** Adds as many of these bytes as are missing, and says how many that were. */
  add(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.missing);
    const end = this.#filled + part.length;
    if (this.#filled < this.#written || !isZero(part)) {
      this.#bytes.set(part, this.#filled);
      this.#written = Math.max(this.#written, end);
    }
    this.#filled = end;
    return part.length;
  }

  /** Makes room for more. What is farther before byte `needed` of the block than a match reaches may be gone. */
  makeRoom(needed: number): void {
    const least = Math.max(this.#start, needed - history);
    // The places of the window and those of the block are the same modulo the history.
    const from = least - (least % history);
    const kept = this.slice(from, this.end);
    const isLong = kept.length > usualSize / 2;
    if (!isLong) {
      this.#usual.set(kept);
      this.#useUsual();
    } else if (this.#bytes === this.#usual) {
      this.#bytes = new Uint8Array(this.#size - from);
      this.#bytes.set(kept);
      this.#view = viewOf(this.#bytes);
      this.#written = kept.length;
    } else {
      // It is long enough as it is.
      this.#wanted = 2 * this.#filled;
      return;
    }
    this.#start = from;
    this.#filled = kept.length;
    if (isLong) this.#wanted = 2 * this.#filled;
  }

  #useUsual(): void {
    if (this.#bytes !== this.#usual) {
      this.#bytes = this.#usual;
      this.#view = viewOf(this.#usual);
    }
    this.#wanted = usualSize;
    this.#written = usualSize;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== 0) return false;
  }
  return true;
}
