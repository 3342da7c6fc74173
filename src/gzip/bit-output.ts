/** Bytes are given out when there are so many. */
const pieceSize = 65536;
/** Room for what may be written between two looks at whether there are. */
const room = pieceSize + 65536 + 8192;

/** Writes bits, the lowest of each byte first. Memory: 136 KiB. */
export class BitOutput {
  readonly #bytes = new Uint8Array(room);
  #filled = 0;
  #bits = 0;
  #count = 0;

  /** What was not taken is left. */
  clear(): void {
    this.#filled = 0;
    this.#bits = 0;
    this.#count = 0;
  }

  /** At most 16 bits. */
  put(value: number, count: number): void {
    this.#bits |= value << this.#count;
    this.#count += count;
    while (this.#count >= 8) {
      this.#bytes[this.#filled++] = this.#bits;
      this.#bits >>>= 8;
      this.#count -= 8;
    }
  }

  /** Up to the end of the byte that is begun. */
  align(): void {
    if (this.#count > 0) this.#bytes[this.#filled++] = this.#bits;
    this.#bits = 0;
    this.#count = 0;
  }

  /** Whole bytes, behind `align`. */
  putBytes(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  get isFull(): boolean {
    return this.#filled >= pieceSize;
  }

  /** All whole bytes that were not taken yet; good until the next bit is written. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#filled);
    this.#filled = 0;
    return taken;
  }
}
