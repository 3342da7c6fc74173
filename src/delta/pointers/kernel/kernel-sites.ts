import type { AddressRanges } from '../elf/address-ranges.ts';
import { int32 } from '../little-endian.ts';
import { type AddressRange, firstEntry, isIn, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** Distances that are shorter lead to what moves together with them. */
const shortDistance = 4096;

/** Words that are relative to themselves, and lead to places in order, go down by less over five of them. */
const leastStep = 16;

/**
 * A kernel's data: aligned eight bytes that are an address, and in tables of all kinds words that are the distance from
 * themselves to code, or, behind such a word, to anything.
 */
export function findKernelSites(
  page: Uint8Array,
  part: PagePart,
  { all, codeSections }: Pick<AddressRanges, 'all' | 'codeSections'>,
  sites: Sites,
): void {
  let isBehindCode = false;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    if (at < part.from) continue;
    const value = int32(page, at);
    const inside = part.before + at - part.from;
    if (inside % 8 === 0 && at + 8 <= part.to && int32(page, at + 4) === -1 && isIn(all, value)) {
      sites.add(at, pointerClass.pointer, valueForm.address, value);
      isBehindCode = false;
      at += 4;
      continue;
    }
    if (isInList(page, part, at, all)) {
      // One more than the address: what is not relative to a processor's own data counts from -1.
      sites.add(at, pointerClass.listed, valueForm.fromBase, all.from - value, -1, all.from);
      continue;
    }
    const target = part.address + at - part.from + value;
    const isFar = value >= shortDistance || value <= -shortDistance;
    const isCode = isFar && codeSections.some((range) => isIn(range, target));
    if (isCode || (isFar && isBehindCode && isIn(all, target))) {
      sites.add(at, pointerClass.selfRelative, valueForm.fromSite, target);
    }
    isBehindCode = isCode;
  }
}

/**
 * Whether a word is one of a list of symbols' places, each as a negative distance from the kernel's begin: so are the two before
 * and the two behind it, none is above the one before, and in all they lead on by more than a list of places relative to themselves can.
 */
function isInList(
  page: Uint8Array,
  part: PagePart,
  at: number,
  { from, to }: AddressRange,
): boolean {
  if (at - 8 < part.from || at + 12 > part.to) return false;
  const first = int32(page, at - 8);
  const last = int32(page, at + 8);
  if (first > -shortDistance || last <= from - to || first - last <= leastStep) return false;
  for (let word = at - 8; word < at + 8; word += 4) {
    if (int32(page, word) < int32(page, word + 4)) return false;
  }
  return true;
}

/** Words that are the lower half of an address. */
export function findListedSites(
  page: Uint8Array,
  part: PagePart,
  all: AddressRange,
  sites: Sites,
): void {
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    const value = int32(page, at);
    if (at < part.from || !isIn(all, value)) continue;
    sites.add(at, pointerClass.listed, valueForm.address, value, 0, 0, 4);
  }
}
