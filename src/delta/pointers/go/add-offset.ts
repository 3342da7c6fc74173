import { int32 } from '../little-endian.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import type { GoRange } from './module.ts';

/** Adds a word that is above 0 and the distance from the beginning of a range to something in it, in units of so many bytes. */
export function addOffset(
  page: Uint8Array,
  at: number,
  kind: number,
  { address, size }: GoRange,
  sites: Sites,
  unit = 1,
): void {
  const distance = unit * int32(page, at);
  if (distance <= 0 || distance >= size) return;
  sites.add(at, kind, valueForm.fromBase, address + distance, unit, address);
}
