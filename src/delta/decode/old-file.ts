import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { pageSize } from '../pointers/sites.ts';
import type { OldWindows } from './old-windows.ts';

/** A part of the old image as a file of its own. Only the one that was made last is read. */
export class OldFile implements PositionedReader {
  readonly size: number;
  readonly #windows: OldWindows;
  readonly #offset: number;

  constructor(windows: OldWindows, offset: number, size: number) {
    this.#windows = windows;
    this.#offset = offset;
    this.size = size;
    windows.enter(offset, size);
  }

  async read(position: number, length: number, into = Buffer.allocUnsafe(length)): Promise<Buffer> {
    if (position < 0 || position + length > this.size) throw new RangeError('beyond the file');
    const bytes = into.subarray(0, length);
    for (let done = 0; done < length; done += pageSize) {
      const part = Math.min(pageSize, length - done);
      bytes.set(await this.#windows.page(this.#offset + position + done, part), done);
    }
    return bytes;
  }

  /** The same where it is in memory. */
  pageNow(start: number): Uint8Array | undefined {
    return this.#windows.pageNow(this.#offset + start, Math.min(pageSize, this.size - start));
  }

  /** Says that the byte at `position` will be needed soon. Returns false when it is to be said again later. */
  expect(position: number): boolean {
    return this.#windows.expect(this.#offset + position);
  }

  /** The page that begins at `start`, shorter at the end of the file; good until another is asked for. */
  page(start: number): Promise<Uint8Array> {
    return this.#windows.page(this.#offset + start, Math.min(pageSize, this.size - start));
  }
}
