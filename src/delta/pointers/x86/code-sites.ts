import type { AddressRanges } from '../elf/address-ranges.ts';
import { int32 } from '../little-endian.ts';
import type { AddressRange, PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import { type Instruction, readInstruction } from './instructions.ts';

/**
 * Looks for pointers in x86-64 code, one instruction after the other: calls and jumps, jumps on conditions, and
 * operands relative to the instruction pointer; absolute addresses where the program is linked for a fixed address.
 * A part may begin within an instruction. What is read wrongly there is soon in step again, and costs a few bytes of
 * difference and nothing else. What leads nowhere is passed over.
 */
export function findX86CodeSites(
  page: Uint8Array,
  { from, to, address }: PagePart,
  { code, all, fixed }: AddressRanges,
  sites: Sites,
): void {
  const addAbsolute = (at: number): void => {
    const value = int32(page, at);
    if (fixed === undefined || !isIn(fixed, value)) return;
    sites.add(at, pointerClass.absolute, valueForm.address, value, 0, 0, 4);
  };
  const found: Instruction = {
    end: from,
    branch: undefined,
    displacement: -1,
    isRelative: false,
    immediate: -1,
  };
  for (let start = from; start < to; start = found.end) {
    readInstruction(page, start, found);
    const { end, displacement, immediate } = found;
    if (end > to) return;
    const next = address + end - from;
    if (displacement >= 0) {
      const target = next + int32(page, displacement);
      if (!found.isRelative) addAbsolute(displacement);
      else if (isIn(all, target)) {
        const distance = end - displacement;
        sites.add(displacement, pointerClass.operand, valueForm.fromSite, target, distance);
      }
    }
    if (immediate < 0) continue;
    if (found.branch === undefined) {
      addAbsolute(immediate);
      continue;
    }
    const target = next + int32(page, immediate);
    const kind = found.branch === 'call' ? pointerClass.call : pointerClass.branch;
    if (isIn(code, target)) sites.add(immediate, kind, valueForm.fromSite, target, 4);
  }
}

/** Not the one that is shared: what V8 learns of numbers in data would make it slower here, where it is asked most. */
function isIn({ from, to }: AddressRange, address: number): boolean {
  return address >= from && address < to;
}
