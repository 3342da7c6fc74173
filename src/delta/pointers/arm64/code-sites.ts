import type { AddressRanges } from '../elf/address-ranges.ts';
import { int32 } from '../little-endian.ts';
import type { AddressRange, PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import { armPage, branchDistance, branchForm, lowOf, lowScale, splitOf } from './fields.ts';
import { Registers } from './registers.ts';

/**
 * Looks for pointers in arm64 code: calls and jumps, and addresses that are made of a page (ADRP) and what later
 * instructions add to it. What leads nowhere is passed over.
 */
export function findArm64CodeSites(
  page: Uint8Array,
  { from, to, address }: PagePart,
  { code, all }: AddressRanges,
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
      const target = base + lowOf(word, scale);
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
