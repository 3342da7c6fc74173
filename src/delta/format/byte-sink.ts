/** Bytes that are collected; memory grows with them. */
export class ByteSink {
  #bytes = new Uint8Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes so far; good until the next are added. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  addByte(byte: number): void {
    this.#grow(1);
    this.#bytes[this.#length++] = byte;
  }

  add(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Seven bits a byte, the lowest first; all bytes but the last have their highest bit set. */
  addNumber(value: number): void {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.addByte((rest % 128) | 128);
    this.addByte(rest);
  }

  /** 0, -1, 1, -2, 2 … as 0, 1, 2, 3, 4 … */
  addSigned(value: number): void {
    this.addNumber(value < 0 ? -2 * value - 1 : 2 * value);
  }

  #grow(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more));
    bytes.set(this.bytes);
    this.#bytes = bytes;
  }
}
