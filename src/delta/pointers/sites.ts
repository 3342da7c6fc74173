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
  number: 512,
  size: 1024,
  /** In programs that are linked for a fixed address: addresses in code, and in data that is not written to. */
  absolute: 2048,
  constant: 4096,
  /** In kernels: distances from themselves, and a list of all places that hold an address. */
  selfRelative: 8192,
  listed: 16384,
  /** In the types of kernels and modules (BTF): numbers of types, and places of names among the names. */
  btfType: 32768,
  btfName: 65536,
  /** In programs in Go: where functions begin, what is told of them, the numbers of functions, and types. */
  goCode: 1 << 20,
  goTable: 1 << 21,
  goBucket: 1 << 22,
  goType: 1 << 23,
} as const;

export const allClasses = 131071 | (15 << 20);
/** Those of types, which are learned from, too, each by itself. */
export const btfClasses = 98304;
/** Call, branch, operand, absolute and constant: those that something is learned from. */
export const learningClasses = 6151;
/** Sites are looked for in pages of an old file, each by itself. */
export const pageSize = 4096;

/** No more of a page count. */
export const maxSites = 1024;

/** How a site's value is made of its target's address. */
export const valueForm = {
  /** It is the address. */
  address: 0,
  /** It is the distance from the site (and `extra` bytes) to the address. */
  fromSite: 1,
  /** It is the distance from the address to the site. */
  toSite: 2,
  /** It is the distance from another address, the base, to the address, in units of `extra` bytes. */
  fromBase: 3,
  /** It is in an instruction of arm64 (`extra`), in so many bits, as the distance from the site in words. */
  branch26: 4,
  branch19: 5,
  branch14: 6,
  /** The same in bytes (ADR), and in pages (ADRP). */
  adr: 7,
  adrp: 8,
  /** It is the address within its page, in an instruction that adds, loads or stores. */
  low12: 9,
  /** The same for the distance from a base. */
  offset12: 10,
  /** It is no address but a number of BTF. */
  number: 11,
} as const;

/** The sites of one page, in the order in which they were found. */
export class Sites {
  count = 0;
  readonly at = new Int32Array(maxSites);
  readonly kind = new Int32Array(maxSites);
  readonly width = new Int32Array(maxSites);
  readonly form = new Int32Array(maxSites);
  readonly target = new Float64Array(maxSites);
  readonly extra = new Int32Array(maxSites);
  readonly base = new Float64Array(maxSites);

  add(
    at: number,
    kind: number,
    form: number,
    target: number,
    extra = 0,
    base = 0,
    width = form === valueForm.address ? 8 : 4,
  ): void {
    if (this.count === maxSites) return;
    const index = this.count++;
    this.at[index] = at;
    this.kind[index] = kind;
    this.width[index] = width;
    this.form[index] = form;
    this.target[index] = target;
    this.extra[index] = extra;
    this.base[index] = base;
  }
}
