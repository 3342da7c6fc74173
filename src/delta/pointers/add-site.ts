import { symbolSize } from './elf/entry-sizes.ts';
import { int32 } from './little-endian.ts';
import { pointerClass } from './pointer-class.ts';
import type { Sites } from './sites.ts';
import { valueForm } from './value-form.ts';

/** Adds the number of a symbol in the table at `symbols`. */
export function addSymbolNumber(at: number, symbol: number, symbols: number, sites: Sites): void {
  const target = symbols + symbol * symbolSize;
  sites.add(at, pointerClass.number, valueForm.fromBase, target, symbolSize, symbols);
}

/** Adds the place of a symbol's name among the names at `names`. */
export function addNamePlace(
  page: Uint8Array,
  at: number,
  names: number | undefined,
  sites: Sites,
): void {
  const name = int32(page, at);
  if (name <= 0 || names === undefined) return;
  sites.add(at, pointerClass.number, valueForm.fromBase, names + name, 1, names);
}

/** Adds eight bytes that are an address of a user's program. */
export function addAddress(page: Uint8Array, at: number, kind: number, sites: Sites): void {
  if (int32(page, at + 4) !== 0) return;
  const value = int32(page, at) >>> 0;
  if (value !== 0) sites.add(at, kind, valueForm.address, value);
}
