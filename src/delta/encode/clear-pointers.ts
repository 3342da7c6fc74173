import { offsetOf } from '../pointers/elf.ts';
import { encodeValue } from '../pointers/pointer-value.ts';
import { byteOf } from '../pointers/predictor.ts';
import type { SiteSource } from '../pointers/site-finder.ts';
import { pageSize, pointerClass, Sites, valueForm } from '../pointers/sites.ts';

const { pointer, constant, relocation, number } = pointerClass;
/** Classes whose entries lie side by side in tables, and are all alike without their pointers. */
const tableClasses = pointer | constant | relocation | number;
/** A mark is made of at most so many bytes. */
const markSize = 16;

/**
 * Takes the pointers out of a file: what is left is the same wherever a linker put it. In code they become zero. In
 * tables each becomes a mark of what it leads to, or nothing would tell one entry from another.
 */
export function clearPointers(file: Uint8Array, finder: SiteSource): void {
  const { sections } = finder.elf;
  const relocations = sections.filter(({ kind }) => kind === 'relocations');
  const isLate = (at: number): boolean =>
    relocations.some(({ offset, size }) => at >= offset && at < offset + size);
  const sites = new Sites();
  const clear = (start: number, late: boolean): void => {
    finder.find(file.subarray(start, start + pageSize), start, sites);
    for (let index = 0; index < sites.count; index++) {
      const at = start + (sites.at[index] ?? 0);
      if (isLate(at) === late) clearSite(file, finder, sites, index, at);
    }
  };
  for (let start = 0; start < file.length; start += pageSize) clear(start, false);
  // Relocations stand in front of what they lead to, and their marks are made of that without its pointers.
  for (const { offset, size } of relocations) {
    for (let start = offset - (offset % pageSize); start < offset + size; start += pageSize) {
      clear(start, true);
    }
  }
}

function clearSite(
  file: Uint8Array,
  finder: SiteSource,
  sites: Sites,
  index: number,
  at: number,
): void {
  const form = sites.form[index] ?? 0;
  const isInstruction = form >= valueForm.branch26;
  let value = isInstruction ? (encodeValue(form, sites.extra[index] ?? 0, 0, 0, 0) ?? 0) : 0;
  if (((sites.kind[index] ?? 0) & tableClasses) !== 0) {
    value = markOf(file, offsetOf(finder.elf.segments, sites.target[index] ?? 0));
  }
  for (let byte = 0; byte < (sites.width[index] ?? 0); byte++)
    file[at + byte] = byteOf(value, byte);
}

/** A hash of the bytes at `offset` up to the first zero: a name, or the beginning of a function. Of none it is 0. */
function markOf(file: Uint8Array, offset: number | undefined): number {
  let mark = 0;
  if (offset === undefined) return mark;
  for (let at = offset; at < offset + markSize; at++) {
    const byte = file[at] ?? 0;
    if (byte === 0) break;
    mark = Math.imul(mark ^ byte, 0x01000193);
  }
  return mark >>> 0;
}
