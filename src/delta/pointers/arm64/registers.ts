import type { Sites } from '../sites.ts';

/** What each register was last given, as far as it is an address of the file. */
export class Registers {
  readonly #address = new Float64Array(32);
  /** A bit for each register whose address is known; one below 0 is not. */
  #known = 0;
  /** The site of the ADRP that gave a page which nothing was added to yet; -1: it is no page; -2: it is, but was used. */
  readonly #site = new Int32Array(32);

  set(register: number, address: number, site: number): void {
    if (register === 31) return;
    this.#address[register] = address;
    if (address < 0) this.forget(register);
    else this.#known |= 1 << register;
    this.#site[register] = site;
  }

  isKnown(register: number): boolean {
    return ((this.#known >>> register) & 1) !== 0;
  }

  isPage(register: number): boolean {
    return this.#site[register] !== -1;
  }

  /** Of one that is known. */
  address(register: number): number {
    return this.#address[register] ?? 0;
  }

  /** The first address that is made of a page is what its ADRP is about. */
  usePage(register: number, target: number, sites: Sites): void {
    const site = this.#site[register] ?? -1;
    if (site < 0) return;
    sites.target[site] = target;
    this.#site[register] = -2;
  }

  forget(register: number): void {
    this.#known &= ~(1 << register);
  }

  /** A called function may change the first 19 registers. */
  forgetAcrossCall(): void {
    this.#known &= -1 << 19;
  }

  /** An instruction that is no jump to a known place, ADR or ADRP writes the register of its lowest bits, if it writes one. */
  forgetWritten(word: number): void {
    if ((word & 0x0a000000) === 0x08000000) {
      // Loads and stores: of vector registers, of pairs, and others.
      if ((word & 0x04000000) !== 0) return;
      const isPair = (word & 0x38000000) === 0x28000000;
      if ((word & (isPair ? 0x00400000 : 0x00c00000)) === 0) return;
      if (isPair) this.forget((word >>> 10) & 31);
      this.forget(word & 31);
    } else if ((word & 0x1c000000) === 0x10000000 || (word & 0x0e000000) === 0x0a000000) {
      this.forget(word & 31);
    } else if ((word & 0xfffffc1f) >>> 0 === 0xd63f0000) {
      this.forgetAcrossCall();
    }
  }
}
