import { addNamePlace, addSymbolNumber } from '../add-site.ts';
import type { Elf, Section } from '../elf/elf.ts';
import { relocationSize, sectionHeaderSize, symbolSize } from '../elf/entry-sizes.ts';
import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** SHT_NOBITS: a section without bytes in the file. */
const nobits = 8;
/** R_X86_64_PC32 and PLT32 count from the end of four bytes in code. */
const fromEnd = [2, 4];
const { fromBase, address } = valueForm;

/**
 * Entries that relocate the section at `target` of an object file: the place in that section, the symbol's number, and the
 * addend where the symbol stands for a section.
 */
export function findObjectRelocations(
  page: Uint8Array,
  part: PagePart,
  { start: target, isCode }: NonNullable<Section['target']>,
  { machine, objectFile, symbols = 0 }: Elf,
  sites: Sites,
): void {
  if (objectFile === undefined) return;
  const { starts, sectionOf } = objectFile;
  for (let at = firstEntry(part, relocationSize); at + 4 <= part.to; at += relocationSize) {
    if (at >= part.from) {
      const place = int32(page, at) >>> 0;
      const inside = part.before + at - part.from;
      const unit = unitOf(inside, place);
      const here = part.address + at - part.from;
      if (unit === undefined) {
        sites.add(at, pointerClass.relocation, fromBase, target + place, 1, target);
      } else {
        sites.add(at, pointerClass.relocation, fromBase, here, unit, here - inside);
      }
    }
    if (at + 8 < part.from || at + 16 > part.to) continue;
    const symbol = int32(page, at + 12);
    if (symbol <= 0) continue;
    addSymbolNumber(at + 12, symbol, symbols, sites);
    const start = starts[sectionOf[symbol] ?? 0] ?? -1;
    if (start < 0 || at + relocationSize > part.to) continue;
    const isFromEnd = isCode && machine === 'x86-64' && fromEnd.includes(int32(page, at + 8));
    const base = start + (isFromEnd ? 4 : 0);
    sites.add(at + 16, pointerClass.pointer, fromBase, base + int32(page, at + 16), 1, base);
  }
}

/** Where every four (or eight) bytes of a section are relocated, an entry's number tells the place: bytes of entries for one of it. */
function unitOf(inside: number, place: number): number | undefined {
  for (const unit of [6, 3]) if (inside > 0 && place * unit === inside) return unit;
  return undefined;
}

/** Symbols of an object file: where the name is, and of those in a section of the file place and size. */
export function findObjectSymbols(
  page: Uint8Array,
  part: PagePart,
  { objectFile, names }: Elf,
  sites: Sites,
): void {
  for (let at = firstEntry(part, symbolSize); at + symbolSize <= part.to; at += symbolSize) {
    if (at < part.from) continue;
    addNamePlace(page, at, names, sites);
    const section = (page[at + 6] ?? 0) | ((page[at + 7] ?? 0) << 8);
    const start = objectFile?.starts[section] ?? -1;
    if (start < 0) continue;
    const place = start + (int32(page, at + 8) >>> 0);
    sites.add(at + 8, pointerClass.symbol, fromBase, place, 1, start);
    const size = int32(page, at + 16);
    if (size > 0) sites.add(at + 16, pointerClass.size, fromBase, place + size, 1, place);
  }
}

/** Headers of sections: where each begins, and its size. */
export function findHeaderSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  for (
    let at = firstEntry(part, sectionHeaderSize);
    at + sectionHeaderSize <= part.to;
    at += sectionHeaderSize
  ) {
    if (at < part.from || int32(page, at + 28) !== 0) continue;
    const start = int32(page, at + 24) >>> 0;
    const size = int32(page, at + 32);
    if (start === 0 || int32(page, at + 4) === nobits) continue;
    sites.add(at + 24, pointerClass.pointer, address, start);
    if (size > 0) sites.add(at + 32, pointerClass.size, fromBase, start + size, 1, start);
  }
}
