import { type AddressRange, int32 } from './code-sites.ts';
import type { PagePart } from './data-sites.ts';
import { armPage, lowScale, splitOf } from './pointer-value.ts';
import { pointerClass, type Sites, valueForm } from './sites.ts';

/**
 * Looks for pointers in arm64 code: calls and jumps, and addresses that are made of a page (ADRP) and what later
 * instructions add to it. What leads nowhere is passed over.
 */
export function findArm64CodeSites(
  page: Uint8Array,
  { from, to, address }: PagePart,
  { code, all }: { readonly code: AddressRange; readonly all: AddressRange },
  sites: Sites,
): void {
  const registers = new Registers();
  for (let at = from + ((4 - (address % 4)) % 4); at + 4 <= to; at += 4) {
    const word = int32(page, at);
    const here = address + at - from;
    const branch = branchForm(word);
    if (branch !== undefined) {
      const target = here + branchDistance(branch, word);
      if (target < code.from || target >= code.to) continue;
      const isLong = branch === valueForm.branch26;
      if (isLong && word < 0) registers.forgetAcrossCall();
      sites.add(at, isLong ? pointerClass.call : pointerClass.branch, branch, target, word);
    } else if ((word & 0x1f000000) === 0x10000000) {
      addAddressSite(at, word, here, all, registers, sites);
    } else {
      const scale = lowScale(word);
      const register = (word >>> 5) & 31;
      if (scale === undefined || !registers.isKnown(register)) {
        registers.forgetWritten(word);
        continue;
      }
      const base = registers.address(register);
      const target = base + ((word >>> 10) & 0xfff) * 2 ** scale;
      const isPage = registers.isPage(register);
      const form = isPage ? valueForm.low12 : valueForm.offset12;
      if (isPage) registers.usePage(register, target, sites);
      sites.add(at, pointerClass.operand, form, target, word, base);
      registers.forgetWritten(word);
      // An ADD leaves the whole address, which the next may add to.
      if ((word & 0x3b000000) !== 0x39000000) registers.set(word & 31, target, -1);
    }
  }
}

/** ADR and ADRP. */
function addAddressSite(
  at: number,
  word: number,
  here: number,
  all: AddressRange,
  registers: Registers,
  sites: Sites,
): void {
  registers.forget(word & 31);
  if (word >= 0) {
    const target = here + splitOf(word);
    if (target < all.from || target >= all.to) return;
    sites.add(at, pointerClass.operand, valueForm.adr, target, word);
    registers.set(word & 31, target, -1);
    return;
  }
  const start = here - (here % armPage) + splitOf(word) * armPage;
  if (start + armPage <= all.from || start >= all.to) return;
  // The target is known better when what is added to it comes.
  registers.set(word & 31, start, sites.count);
  sites.add(at, pointerClass.operand, valueForm.adrp, start, word);
}

/** Where a jump has its distance; undefined for another instruction. */
function branchForm(word: number): number | undefined {
  if ((word & 0x7c000000) === 0x14000000) return valueForm.branch26;
  const isConditional = (word & 0xff000010) === 0x54000000;
  if (isConditional || (word & 0x7e000000) === 0x34000000) return valueForm.branch19;
  return (word & 0x7e000000) === 0x36000000 ? valueForm.branch14 : undefined;
}

function branchDistance(form: number, word: number): number {
  if (form === valueForm.branch26) return (word << 6) >> 4;
  return form === valueForm.branch19 ? ((word << 8) >> 13) << 2 : ((word << 13) >> 18) << 2;
}

/** What each register was last given, as far as it is an address of the file. */
class Registers {
  /** -1: not known. */
  readonly #address = new Float64Array(32).fill(-1);
  /** The site of the ADRP that gave a page which nothing was added to yet; -1: it is no page; -2: it is, but was used. */
  readonly #site = new Int32Array(32);

  set(register: number, address: number, site: number): void {
    if (register === 31) return;
    this.#address[register] = address;
    this.#site[register] = site;
  }

  isKnown(register: number): boolean {
    return (this.#address[register] ?? -1) >= 0;
  }

  isPage(register: number): boolean {
    return this.#site[register] !== -1;
  }

  address(register: number): number {
    return this.#address[register] ?? -1;
  }

  /** The first address that is made of a page is what its ADRP is about. */
  usePage(register: number, target: number, sites: Sites): void {
    const site = this.#site[register] ?? -1;
    if (site < 0) return;
    sites.target[site] = target;
    this.#site[register] = -2;
  }

  forget(register: number): void {
    this.#address[register] = -1;
  }

  /** A called function may change the first 19 registers. */
  forgetAcrossCall(): void {
    this.#address.fill(-1, 0, 19);
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
