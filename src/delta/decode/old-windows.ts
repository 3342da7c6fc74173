import { pageAlignedBuffer } from '../../ports/page-aligned.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { pageSize } from '../pointers/sites.ts';

const windowSize = 16 * pageSize;
const windows = 16;
/** Each window has so many bytes of the next one too, so that no page lies over the border of two. */
const room = windowSize + pageSize;

/**
 * The old image as patches need it: here and there, but forward for the most part. A fixed number of windows is
 * in memory, whatever the image (S9), and the next one is read while one is used.
 */
export class OldWindows {
  readonly size: number;
  readonly #base: PositionedReader;
  readonly #windows: readonly Window[];
  #uses = 0;
  #last: Window;

  constructor(base: PositionedReader) {
    this.size = base.size;
    this.#base = base;
    const memory = pageAlignedBuffer(windows * room);
    this.#windows = Array.from(
      { length: windows },
      (_, index) => new Window(memory.subarray(index * room, (index + 1) * room)),
    );
    this.#last = new Window(memory);
  }

  /** `length` bytes from `position` on, a page at the most; good until others are asked for. */
  async page(position: number, length: number): Promise<Buffer> {
    const number = Math.floor(position / windowSize);
    if (number !== this.#last.number) await this.#goTo(number);
    const start = position - number * windowSize;
    return this.#last.bytes.subarray(start, start + length);
  }

  /** Resolves when nothing is being read any more: the old image may be closed. */
  async settle(): Promise<void> {
    for (const { reading } of this.#windows) await reading?.catch(() => undefined);
  }

  async #goTo(number: number): Promise<void> {
    const window = this.#find(number) ?? (await this.#begin(number));
    window.used = ++this.#uses;
    const isForward = number === this.#last.number + 1;
    if (isForward && this.#find(number + 1) === undefined) await this.#begin(number + 1);
    await window.reading;
    this.#last = window;
  }

  #find(number: number): Window | undefined {
    return this.#windows.find((window) => window.number === number);
  }

  /** Begins to read a window where the one is that was used longest ago. */
  async #begin(number: number): Promise<Window> {
    const window = this.#windows.reduce((oldest, each) =>
      each.used < oldest.used ? each : oldest,
    );
    await window.reading?.catch(() => undefined);
    window.number = number;
    window.used = ++this.#uses;
    window.reading = this.#read(window);
    // Whoever needs it gets the error: it is read again then.
    window.reading.catch(() => {
      window.number = -1;
    });
    return window;
  }

  async #read(window: Window): Promise<void> {
    const from = window.number * windowSize;
    const length = Math.min(room, this.size - from);
    window.bytes = length > 0 ? await this.#base.read(from, length, window.memory) : window.memory;
    window.reading = undefined;
  }
}

/** A part of the old image that is in memory, or is on its way there. */
class Window {
  readonly memory: Buffer;
  number = -1;
  bytes: Buffer;
  reading: Promise<void> | undefined;
  used = 0;

  constructor(memory: Buffer) {
    this.memory = memory;
    this.bytes = memory;
  }
}
