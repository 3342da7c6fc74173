import { int32 } from '../little-endian.ts';
import { type AddressRange, firstEntry, isIn, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** Aligned eight bytes that are an address of the file. */
export function findPointerSites(
  page: Uint8Array,
  part: PagePart,
  all: AddressRange,
  sites: Sites,
  kind: number = pointerClass.pointer,
): void {
  for (let at = firstEntry(part, 8); at + 8 <= part.to; at += 8) {
    if (!isPointer(page, part, at, all)) continue;
    sites.add(at, kind, valueForm.address, int32(page, at) >>> 0);
  }
}

/** The same among data of all kinds, where one that has no other close by is taken for chance. */
export function findConstantSites(
  page: Uint8Array,
  part: PagePart,
  fixed: AddressRange,
  sites: Sites,
): void {
  for (let at = firstEntry(part, 8); at + 8 <= part.to; at += 8) {
    if (!isPointer(page, part, at, fixed)) continue;
    const hasNeighbor =
      isPointer(page, part, at + 8, fixed) ||
      isPointer(page, part, at - 8, fixed) ||
      isPointer(page, part, at + 16, fixed) ||
      isPointer(page, part, at - 16, fixed);
    if (!hasNeighbor) continue;
    sites.add(at, pointerClass.constant, valueForm.address, int32(page, at) >>> 0);
  }
}

function isPointer(page: Uint8Array, part: PagePart, at: number, range: AddressRange): boolean {
  if (at < part.from || at + 8 > part.to || int32(page, at + 4) !== 0) return false;
  const value = int32(page, at) >>> 0;
  // Small numbers are rarely addresses, even where addresses begin at 0.
  return value >= 0x1000 && isIn(range, value);
}
