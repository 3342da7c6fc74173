import { writeWord } from '../pointers/little-endian.ts';
import { pointerClass } from '../pointers/pointer-class.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { pageSize, Sites } from '../pointers/sites.ts';
import { valueForm } from '../pointers/value-form.ts';
import { hashBytes } from './hash-bytes.ts';

/** What a mark goes on from: an entry that leads to zeros is not one that leads nowhere. */
const basis = 0x811c9dc5;
/** A mark is made of so many bytes around what a number leads to. */
const markSize = 16;

/**
 * Puts marks of what they lead to in place of the numbers in an object file's symbols and relocations, so that entries that
 * mean the same are alike in both files, and others are not, whatever was put in among them.
 */
export function markObject(file: Uint8Array, finder: SiteSource): void {
  const { symbols = -1, sections } = finder.elf;
  const sites = new Sites();
  // Symbols first: what stands for a symbol in a relocation is made of its name's mark.
  for (const wanted of ['object-symbols', 'object-relocations'] as const) {
    for (const { kind, offset, size } of sections) {
      if (kind !== wanted) continue;
      for (let start = offset - (offset % pageSize); start < offset + size; start += pageSize) {
        finder.find(file.subarray(start, start + pageSize), start, sites);
        for (let index = 0; index < sites.count; index++) {
          const at = start + (sites.at[index] ?? 0);
          if (at < offset || at >= offset + size) continue;
          const mark = markOf(file, sites, index, at, symbols);
          if (mark !== undefined) writeWord(file, at, mark);
        }
      }
    }
  }
}

/** What comes in place of a number; `undefined`: it stays. */
function markOf(
  file: Uint8Array,
  sites: Sites,
  index: number,
  at: number,
  symbols: number,
): number | undefined {
  const kind = sites.kind[index] ?? 0;
  const target = sites.target[index] ?? 0;
  const base = sites.base[index] ?? 0;
  if (sites.form[index] !== valueForm.fromBase || kind === pointerClass.size) return undefined;
  // Its own place says no more than where it is.
  if (target === at) return 0;
  if (kind === pointerClass.relocation)
    return hashBytes(file, target - markSize / 2, markSize, basis);
  if (kind !== pointerClass.number) return hashBytes(file, target, markSize, basis);
  if (base !== symbols) return hashBytes(file, target, nameEnd(file, target) - target, basis);
  const name = hashBytes(file, target, 4, basis);
  return name === noName ? undefined : name;
}

function nameEnd(file: Uint8Array, start: number): number {
  const end = file.indexOf(0, start);
  return end < 0 ? file.length : end;
}

/** Of four zeros. */
const noName = hashBytes(new Uint8Array(4), 0, 4, basis);
