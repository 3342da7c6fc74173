import { addAddress, addSymbolNumber } from '../add-site.ts';
import type { Elf, Machine } from '../elf/elf.ts';
import { relocationSize } from '../elf/entry-sizes.ts';
import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';

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
