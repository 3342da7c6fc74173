import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { pageSize } from '../pointers/sites.ts';

const windowSize = 16 * pageSize;
const windows = 8;

/** A part of the old image as a file of its own, read in windows; 512 KiB of it are in memory (S9). */
export class OldFile implements PositionedReader {
  readonly size: number;
  readonly #base: PositionedReader;
  readonly #offset: number;
  /** The first key is the window used longest ago. */
  readonly #windows = new Map<number, Buffer>();

  constructor(base: PositionedReader, offset: number, size: number) {
    this.#base = base;
    this.#offset = offset;
    this.size = size;
  }

  read(position: number, length: number): Promise<Buffer> {
    if (position < 0 || position + length > this.size) throw new RangeError('beyond the file');
    return this.#base.read(this.#offset + position, length);
  }

  /** The page that begins at `start`, shorter at the end of the file. */
  async page(start: number): Promise<Uint8Array> {
    const from = start - (start % windowSize);
    const window = this.#windows.get(from) ?? (await this.#load(from));
    return window.subarray(start - from, start - from + pageSize);
  }

  async #load(from: number): Promise<Buffer> {
    const window = await this.read(from, Math.min(windowSize, this.size - from));
    const [oldest] = this.#windows.keys();
    if (this.#windows.size === windows && oldest !== undefined) this.#windows.delete(oldest);
    this.#windows.set(from, window);
    return window;
  }
}
