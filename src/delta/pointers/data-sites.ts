import { type AddressRange, int32 } from './code-sites.ts';
import type { Elf, Machine } from './elf.ts';
import { pointerClass, type Sites, valueForm } from './sites.ts';

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
/** R_X86_64_RELATIVE and IRELATIVE, and those of arm64: the addend is an address. */
const relative: Readonly<Record<Machine, readonly number[]>> = {
  'x86-64': [8, 37],
  arm64: [1027, 1032],
};

/** Entries of a RELA section: the address that is relocated, the symbol's number, and the addend where it is an address. */
export function findRelocationSites(
  page: Uint8Array,
  part: PagePart,
  { machine, symbols }: Pick<Elf, 'machine' | 'symbols'>,
  sites: Sites,
): void {
  for (let at = firstEntry(part, relocationSize); at + 8 <= part.to; at += relocationSize) {
    if (at >= part.from) addAddress(page, at, pointerClass.relocation, sites);
    if (at + 8 < part.from || at + relocationSize > part.to) continue;
    const symbol = int32(page, at + 12);
    if (symbol > 0 && symbols !== undefined) addSymbolNumber(at + 12, symbol, symbols, sites);
    if (relative[machine].includes(int32(page, at + 8))) {
      addAddress(page, at + 16, pointerClass.relocation, sites);
    }
  }
}

/** Symbols of a .dynsym section: where the name is, and of those that are defined value and size. */
export function findSymbolSites(
  page: Uint8Array,
  part: PagePart,
  names: number | undefined,
  sites: Sites,
): void {
  const { fromBase } = valueForm;
  for (let at = firstEntry(part, symbolSize); at + symbolSize <= part.to; at += symbolSize) {
    if (at < part.from) continue;
    const name = int32(page, at);
    if (name > 0 && names !== undefined) {
      sites.add(at, pointerClass.number, fromBase, names + name, 1, names);
    }
    if ((page[at + 6] ?? 0) === 0 && (page[at + 7] ?? 0) === 0) continue;
    addAddress(page, at + 8, pointerClass.symbol, sites);
    const [value, size] = [int32(page, at + 8) >>> 0, int32(page, at + 16)];
    if (int32(page, at + 12) !== 0 || size <= 0) continue;
    sites.add(at + 16, pointerClass.size, fromBase, value + size, 1, value);
  }
}

/** Numbers of symbols in a table of hashed names. */
export function findBucketSites(
  page: Uint8Array,
  part: PagePart,
  symbols: number | undefined,
  sites: Sites,
): void {
  if (symbols === undefined) return;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    const symbol = int32(page, at);
    if (at >= part.from && symbol > 0) addSymbolNumber(at, symbol, symbols, sites);
  }
}

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
  return value >= 0x1000 && value >= range.from && value < range.to;
}

/** The pairs of a frame index: a function and its frame, both relative to the index. */
export function findFrameIndexSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  const index = part.address - part.before;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    const inside = part.before + at - part.from;
    if (at < part.from || inside < 12) continue;
    sites.add(at, pointerClass.frameIndex, valueForm.fromBase, index + int32(page, at), 1, index);
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
      sites.add(at + 4, pointerClass.frame, valueForm.toSite, here + 4 - common);
      sites.add(at + 8, pointerClass.frame, valueForm.fromSite, here + 8 + int32(page, at + 8));
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
      sites.add(at, pointerClass.table, valueForm.fromBase, table + int32(page, at), 1, table);
    }
    at -= 4;
  }
}

/** Fewer bytes that look like a table are taken for chance. */
const leastTable = 12;

/** Where in the page the first entry begins that is not wholly before the part; may be before it. */
export function firstEntry({ from, before }: PagePart, size: number): number {
  return from - (before % size);
}

function addSymbolNumber(at: number, symbol: number, symbols: number, sites: Sites): void {
  const target = symbols + symbol * symbolSize;
  sites.add(at, pointerClass.number, valueForm.fromBase, target, symbolSize, symbols);
}

function addAddress(page: Uint8Array, at: number, kind: number, sites: Sites): void {
  if (int32(page, at + 4) !== 0) return;
  const value = int32(page, at) >>> 0;
  if (value !== 0) sites.add(at, kind, valueForm.address, value);
}
