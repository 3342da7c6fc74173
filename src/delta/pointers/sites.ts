/**
 * Classes of places that hold a pointer, as bits of a file's mask: a class that does not pay for a
 * file is switched off for it (docs/delta-format.md).
 */
export const pointerClass = {
  call: 1,
  branch: 2,
  operand: 4,
  relocation: 8,
  symbol: 16,
  pointer: 32,
  frameIndex: 64,
  frame: 128,
  table: 256,
} as const;

export const allClasses = 511;
/** Sites are looked for in pages of an old file, each by itself. */
export const pageSize = 4096;

/** How a site's value is made of its target's address. */
export const siteBase = {
  /** It is the address. */
  none: -1,
  /** It is the distance from the site (and `extra` bytes) to the address. */
  site: -2,
  /** It is the distance from the address to the site. */
  backward: -3,
} as const;

/** The sites of one page, in the order in which they were found. Any other base is an address that the value is relative to. */
export class Sites {
  readonly #capacity = 1024;
  count = 0;
  readonly at = new Int32Array(this.#capacity);
  readonly kind = new Int32Array(this.#capacity);
  readonly width = new Int32Array(this.#capacity);
  readonly target = new Float64Array(this.#capacity);
  readonly base = new Float64Array(this.#capacity);
  readonly extra = new Int32Array(this.#capacity);

  add(at: number, kind: number, width: number, target: number, base: number, extra = 0): void {
    if (this.count === this.#capacity) return;
    const index = this.count++;
    this.at[index] = at;
    this.kind[index] = kind;
    this.width[index] = width;
    this.target[index] = target;
    this.base[index] = base;
    this.extra[index] = extra;
  }
}
