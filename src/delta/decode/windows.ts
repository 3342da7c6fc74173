import { pageAlignedBuffer } from '../../ports/page-aligned.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { pageSize } from '../pointers/sites.ts';

/** Bytes from … up to, of the old image. */
export interface Bounds {
  readonly from: number;
  readonly to: number;
}

/** A part of the old image that is in memory, or is on its way there. */
export class Window {
  readonly #memory: Buffer;
  #bytes: Uint8Array;
  /** Its place among those of its size; -1: it has nothing. */
  number = -1;
  /** Where its bytes begin. */
  #start = 0;
  reading: Promise<void> | undefined;
  used = 0;

  constructor(memory: Buffer) {
    this.#memory = memory;
    this.#bytes = new Uint8Array(0);
  }

  read(base: PositionedReader, number: number, { from, to }: Bounds): void {
    this.number = number;
    this.#start = from;
    this.reading = this.#read(base, from, to - from);
    // Whoever needs it gets the error: it is read again then.
    this.reading.catch(() => {
      this.number = -1;
    });
  }

  bytes(position: number, length: number): Uint8Array {
    return this.#bytes.subarray(position - this.#start, position - this.#start + length);
  }

  async #read(base: PositionedReader, from: number, length: number): Promise<void> {
    try {
      const bytes = await base.read(from, length, this.#memory);
      // No Buffer: what looks at pages is compiled for one kind of array.
      this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } finally {
      this.reading = undefined;
    }
  }
}

/** A fixed number of windows of one size (S9), which begin at multiples of it. */
export class Windows {
  readonly size: number;
  readonly #windows: readonly Window[];
  /** Where each number is; a window that has been given another since tells itself. */
  readonly #places = new Map<number, Window>();
  #uses = 0;

  constructor(size: number, count: number) {
    this.size = size;
    // Each has a page of the next one too, so that no page lies over the border of two.
    const room = size + pageSize;
    const memory = pageAlignedBuffer(count * room);
    this.#windows = Array.from(
      { length: count },
      (_, index) => new Window(memory.subarray(index * room, (index + 1) * room)),
    );
  }

  /** How many are being read. */
  get reading(): number {
    return this.#windows.reduce((sum, { reading }) => sum + (reading === undefined ? 0 : 1), 0);
  }

  find(position: number): Window | undefined {
    const number = Math.floor(position / this.size);
    const found = this.#places.get(number);
    if (found?.number !== number) return undefined;
    found.used = ++this.#uses;
    return found;
  }

  /**
   * Begins to read the window of a position, as far as it is within `bounds`, where the one is that was used longest ago; never where one is being
   * read, or in `kept`. `undefined` when there is no other.
   */
  begin(
    base: PositionedReader,
    position: number,
    kept: Window | undefined,
    bounds: Bounds,
  ): Window | undefined {
    let oldest: Window | undefined;
    for (const window of this.#windows) {
      if (window === kept || window.reading !== undefined) continue;
      if (oldest === undefined || window.used < oldest.used) oldest = window;
    }
    if (oldest === undefined) return undefined;
    oldest.used = ++this.#uses;
    const number = Math.floor(position / this.size);
    this.#places.delete(oldest.number);
    this.#places.set(number, oldest);
    const start = number * this.size;
    oldest.read(base, number, {
      from: Math.max(start, bounds.from),
      to: Math.min(start + this.size + pageSize, bounds.to),
    });
    return oldest;
  }

  /** Nothing of what there is will be used. */
  forget(): void {
    for (const window of this.#windows) window.number = -1;
    this.#places.clear();
  }

  /** Resolves when none is being read any more. */
  async settle(): Promise<void> {
    for (const { reading } of this.#windows) await reading?.catch(() => undefined);
  }
}
