import { type AddressRange, int32 } from './code-sites.ts';
import { pointerClass, type Sites, siteBase } from './sites.ts';

/** The part of a page that a section covers: bytes `from` to `to` of the page, the first at `address`. */
export interface PagePart {
  readonly from: number;
  readonly to: number;
  readonly address: number;
  /** Bytes of the section before the part. */
  readonly before: number;
}

const relocationSize = 24;
const symbolSize = 24;
/** R_X86_64_RELATIVE and R_X86_64_IRELATIVE: the addend is an address. */
const relative = [8, 37];

/** Entries of a RELA section: the address that is relocated, and the addend where it is one. */
export function findRelocationSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  for (let at = firstEntry(part, relocationSize); at + 8 <= part.to; at += relocationSize) {
    if (at >= part.from) addAddress(page, at, pointerClass.relocation, sites);
    const type = at + 8 >= part.from && at + 12 <= part.to ? int32(page, at + 8) : -1;
    if (relative.includes(type) && at + 24 <= part.to) {
      addAddress(page, at + 16, pointerClass.relocation, sites);
    }
  }
}

/** Values of the symbols of a .dynsym section that are defined. */
export function findSymbolSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  for (let at = firstEntry(part, symbolSize); at + 16 <= part.to; at += symbolSize) {
    if (at < part.from) continue;
    if ((page[at + 6] ?? 0) === 0 && (page[at + 7] ?? 0) === 0) continue;
    addAddress(page, at + 8, pointerClass.symbol, sites);
  }
}

/** Aligned eight bytes that are an address of the file. */
export function findPointerSites(
  page: Uint8Array,
  part: PagePart,
  all: AddressRange,
  sites: Sites,
): void {
  for (let at = firstEntry(part, 8); at + 8 <= part.to; at += 8) {
    if (at < part.from || int32(page, at + 4) !== 0) continue;
    const value = int32(page, at) >>> 0;
    // Small numbers are rarely addresses, even where addresses begin at 0.
    if (value < 0x1000 || value < all.from || value >= all.to) continue;
    sites.add(at, pointerClass.pointer, 8, value, siteBase.none);
  }
}

/** The pairs of a frame index: a function and its frame, both relative to the index. */
export function findFrameIndexSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  const index = part.address - part.before;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    const inside = part.before + at - part.from;
    if (at < part.from || inside < 12) continue;
    sites.add(at, pointerClass.frameIndex, 4, index + int32(page, at), index);
  }
}

/** Frames, from `first` (of the page) on: the way back to the common part, and the function. */
export function findFrameSites(
  page: Uint8Array,
  part: PagePart,
  first: number,
  sites: Sites,
): void {
  for (let at = first; at + 12 <= part.to; ) {
    const length = int32(page, at) >>> 0;
    if (length < 4 || length > 1 << 20) return;
    const common = int32(page, at + 4);
    if (common !== 0) {
      const here = part.address + at - part.from;
      sites.add(at + 4, pointerClass.frame, 4, here + 4 - common, siteBase.backward);
      sites.add(at + 8, pointerClass.frame, 4, here + 8 + int32(page, at + 8), siteBase.site);
    }
    at += 4 + length;
  }
}

/** Entries that follow each other and all lead into the code, relative to the first of them. */
export function findTableSites(
  page: Uint8Array,
  part: PagePart,
  code: AddressRange,
  sites: Sites,
): void {
  const isTarget = (target: number): boolean => target >= code.from && target < code.to;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    if (at < part.from) continue;
    const table = part.address + at - part.from;
    let end = at;
    while (end + 4 <= part.to && isTarget(table + int32(page, end))) end += 4;
    if (end - at < leastTable) continue;
    for (; at < end; at += 4) {
      sites.add(at, pointerClass.table, 4, table + int32(page, at), table);
    }
    at -= 4;
  }
}

/** Fewer bytes that look like a table are taken for chance. */
const leastTable = 12;

/** Where in the page the first entry begins that is not wholly before the part; may be before it. */
function firstEntry({ from, before }: PagePart, size: number): number {
  return from - (before % size);
}

function addAddress(page: Uint8Array, at: number, kind: number, sites: Sites): void {
  if (int32(page, at + 4) !== 0) return;
  const value = int32(page, at) >>> 0;
  if (value !== 0) sites.add(at, kind, 8, value, siteBase.none);
}
