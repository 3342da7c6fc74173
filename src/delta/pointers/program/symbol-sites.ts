import { addAddress, addNamePlace, addSymbolNumber } from '../add-site.ts';
import { symbolSize } from '../elf/entry-sizes.ts';
import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** Symbols of a .dynsym section: where the name is, and of those that are defined value and size. */
export function findSymbolSites(
  page: Uint8Array,
  part: PagePart,
  names: number | undefined,
  sites: Sites,
): void {
  for (let at = firstEntry(part, symbolSize); at + symbolSize <= part.to; at += symbolSize) {
    if (at < part.from) continue;
    addNamePlace(page, at, names, sites);
    if ((page[at + 6] ?? 0) === 0 && (page[at + 7] ?? 0) === 0) continue;
    addAddress(page, at + 8, pointerClass.symbol, sites);
    const value = int32(page, at + 8) >>> 0;
    const size = int32(page, at + 16);
    if (int32(page, at + 12) !== 0 || size <= 0) continue;
    sites.add(at + 16, pointerClass.size, valueForm.fromBase, value + size, 1, value);
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
