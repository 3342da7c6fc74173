import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { type Bounds, type Window, Windows } from './windows.ts';

/** After so many misses in a large window one behind the other all of it is read. */
const missesOfStream = 4;
/** So many small ones are read at a time at the most. */
const mostAhead = 4;

/**
 * The old image as patches need it: forward for the most part, which is read in large windows, the next one ahead,
 * and here and there, which is read in small ones. Fixed numbers of both are in memory, whatever the image (S9).
 */
export class OldWindows {
  #base: PositionedReader;
  readonly #large = new Windows(128 << 10, 4);
  /** Where functions came in another order, all of a library of 4 MB is needed again and again. */
  readonly #small = new Windows(32 << 10, 64);
  /** The number of the large window that was read last, and of the one that was missed last, how often. */
  #stream = -1;
  /** Whether that one came behind another. */
  #isForward = false;
  #missed = -1;
  #misses = 0;
  #last: Window | undefined;
  #bounds: Bounds = { from: 0, to: 0 };

  constructor(base: PositionedReader) {
    this.#base = base;
  }

  /** Something else is read from here on: its first part is to be entered. */
  async readFrom(base: PositionedReader): Promise<void> {
    await this.settle();
    this.#base = base;
  }

  /** From here on positions are within a part of the image. No more than that is read, and what shares its pages. */
  enter(offset: number, size: number): void {
    const { unit = 1 } = this.#base;
    const end = Math.ceil((offset + size) / unit) * unit;
    this.#bounds = { from: offset - (offset % unit), to: Math.min(this.#base.size, end) };
    this.#large.forget();
    this.#small.forget();
    this.#last = undefined;
    this.#stream = -1;
    this.#missed = -1;
  }

  /** `length` bytes from `position` on, a page at the most; good until others are asked for. */
  async page(position: number, length: number): Promise<Uint8Array> {
    for (;;) {
      const window = this.#find(position) ?? this.#begin(position);
      if (window === undefined) {
        await this.settle();
        continue;
      }
      await window.reading;
      this.#last = window;
      return window.bytes(position, length);
    }
  }

  /** What is there of that at once, else `undefined`. */
  pageNow(position: number, length: number): Uint8Array | undefined {
    const window = this.#find(position);
    if (window === undefined || window.reading !== undefined) return undefined;
    this.#last = window;
    return window.bytes(position, length);
  }

  /** Begins to read what will be needed at `position`. Returns false when too much is being read already. */
  expect(position: number): boolean {
    if (this.#find(position) !== undefined) return true;
    return this.#small.reading < mostAhead && this.#begin(position) !== undefined;
  }

  /** Resolves when nothing is being read any more: the old image may be closed. */
  async settle(): Promise<void> {
    await this.#large.settle();
    await this.#small.settle();
  }

  #find(position: number): Window | undefined {
    const large = this.#large.find(position);
    if (large === undefined) return this.#small.find(position);
    const isStream = Math.floor(position / this.#large.size) === this.#stream;
    if (isStream && this.#isForward) this.#readAhead();
    return large;
  }

  #begin(position: number): Window | undefined {
    const number = Math.floor(position / this.#large.size);
    this.#misses = number === this.#missed ? this.#misses + 1 : 1;
    this.#missed = number;
    if (number === this.#stream + 1 || this.#misses >= missesOfStream) {
      const large = this.#large.begin(this.#base, position, this.#last, this.#bounds);
      if (large !== undefined) {
        this.#isForward = number === this.#stream + 1;
        this.#stream = number;
        return large;
      }
    }
    return this.#small.begin(this.#base, position, this.#last, this.#bounds);
  }

  /** The window behind the one that is used. */
  #readAhead(): void {
    const next = (this.#stream + 1) * this.#large.size;
    if (next >= this.#bounds.to) return;
    const isThere =
      this.#large.find(next) ?? this.#large.begin(this.#base, next, this.#last, this.#bounds);
    if (isThere !== undefined) this.#stream++;
  }
}
