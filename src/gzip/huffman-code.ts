/** The longest code of any kind. */
const mostBits = 15;

/** What a code is made for. */
export interface Alphabet {
  readonly size: number;
  /** No code is longer. */
  readonly longest: number;
  /** Bits that follow the codes from `extraFrom` on. */
  readonly extra: Uint8Array;
  readonly extraFrom: number;
  /** Bits of the fixed code, where there is one. */
  readonly fixedBits?: Uint8Array;
}

/** The codes of symbols, ready to be written, and how many bits each has; 0 for one that is not used. */
export class HuffmanCode {
  readonly codes: Uint16Array;
  readonly bits: Uint8Array;
  /** The last symbol that has a code. */
  last = 0;
  /** Bits of everything in this code, and in the fixed one. */
  size = 0;
  fixedSize = 0;

  constructor(size: number) {
    this.codes = new Uint16Array(size);
    this.bits = new Uint8Array(size);
  }

  /** A code of which only the bits are given: shorter ones come first, then those of smaller symbols (RFC 1951, section 3.2.2). */
  static of(bits: Uint8Array): HuffmanCode {
    const code = new HuffmanCode(bits.length);
    code.bits.set(bits);
    code.last = bits.length - 1;
    code.assign();
    return code;
  }

  /** Makes the codes of the bits. */
  assign(): void {
    const next = new Uint16Array(mostBits + 2);
    for (const bits of this.bits) if (bits > 0) next[bits + 1] = (next[bits + 1] ?? 0) + 1;
    for (let bits = 1; bits < next.length; bits++) {
      next[bits] = ((next[bits] ?? 0) + (next[bits - 1] ?? 0)) << 1;
    }
    this.bits.forEach((bits, symbol) => {
      if (bits === 0) return;
      this.codes[symbol] = reversed(next[bits] ?? 0, bits);
      next[bits] = (next[bits] ?? 0) + 1;
    });
  }
}

function reversed(code: number, bits: number): number {
  let result = 0;
  for (let rest = code, bit = 0; bit < bits; bit++, rest >>= 1) result = (result << 1) | (rest & 1);
  return result;
}
