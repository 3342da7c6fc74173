import { corruptDelta } from '../format/corrupt-delta.ts';

/** A number has at most so many bytes: 49 bits. */
const longestNumber = 7;

/** Reads numbers and bytes from a stream that comes in chunks. Holds what was asked for and one chunk. */
export class StreamReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #where: string;
  #buffer: Uint8Array = new Uint8Array(0);
  #at = 0;
  /** Bytes that are still to come behind the buffer. */
  #left: number;

  /** The stream has exactly `size` bytes: more or fewer are CORRUPT_DELTA. */
  constructor(chunks: AsyncIterable<Uint8Array>, size: number, where: string) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#left = size;
    this.#where = where;
  }

  /** Whether `count` bytes, or all that are left, can be read at once. */
  has(count: number): boolean {
    return this.#buffer.length - this.#at >= count || this.#left === 0;
  }

  /** Waits until `has(count)`. */
  async fill(count: number): Promise<void> {
    while (!this.has(count)) {
      const { value, done } = await this.#chunks.next();
      if (done) throw corruptDelta(`${this.#left} bytes more`, 'its end', this.#where);
      if (value.length > this.#left) throw corruptDelta('its end', 'more bytes', this.#where);
      this.#left -= value.length;
      this.#buffer =
        this.#at === this.#buffer.length
          ? value
          : Buffer.concat([this.#buffer.subarray(this.#at), value]);
      this.#at = 0;
    }
  }

  /** A number that is in the buffer: `fill` came before. */
  takeNumber(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < longestNumber; count++) {
      const byte = this.#buffer[this.#at];
      if (byte === undefined) throw this.#tooShort();
      this.#at++;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
    throw corruptDelta('a number of at most 49 bits', 'a longer one', this.#where);
  }

  takeByte(): number {
    const byte = this.#buffer[this.#at];
    if (byte === undefined) throw this.#tooShort();
    this.#at++;
    return byte;
  }

  async number(): Promise<number> {
    if (!this.has(longestNumber)) await this.fill(longestNumber);
    return this.takeNumber();
  }

  async signed(): Promise<number> {
    const value = await this.number();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** Fills `target` with the next bytes. */
  async readInto(target: Uint8Array): Promise<void> {
    for (let done = 0; done < target.length; ) {
      await this.fill(1);
      const part = this.#buffer.subarray(this.#at, this.#at + target.length - done);
      if (part.length === 0) throw this.#tooShort();
      target.set(part, done);
      this.#at += part.length;
      done += part.length;
    }
  }

  /** Sees that nothing is left. */
  async finish(): Promise<void> {
    const unread = this.#buffer.length - this.#at + this.#left;
    if (unread > 0) throw corruptDelta('all bytes used', `${unread} left`, this.#where);
    const { done } = await this.#chunks.next();
    if (!done) throw corruptDelta('its end', 'more bytes', this.#where);
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  #tooShort() {
    return corruptDelta('more bytes', 'the end of the stream', this.#where);
  }
}
