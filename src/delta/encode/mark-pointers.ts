import { offsetOf } from '../pointers/elf.ts';
import { encodeValue } from '../pointers/pointer-value.ts';
import { byteOf } from '../pointers/predictor.ts';
import type { SiteSource } from '../pointers/site-finder.ts';
import { pageSize, pointerClass, Sites, valueForm } from '../pointers/sites.ts';
import { markOf, markSymbols, type SymbolMarks } from './symbol-marks.ts';

const { pointer, constant, relocation, number, selfRelative, listed } = pointerClass;
/** Classes whose entries lie side by side in tables, and are all alike without their pointers. */
const tableClasses = pointer | constant | relocation | number;
/** Those of kernels, which lead into code: zeros there are not the end of anything. */
const kernelClasses = selfRelative | listed;
/** A mark is made of at most so many bytes of what a pointer leads to. */
const markSize = 16;

/** What comes in place of a file's pointers. */
export interface PointerValues {
  /** The sites of a page, of which those that were not replaced yet are as they were. */
  sitesOf(page: Uint8Array, start: number): Sites;
  /** The value for the site of this number of the page asked for last, at `at` in the file; `undefined`: it stays. */
  valueAt(index: number, at: number): number | undefined;
}

/** Nothing: what is left of a file is the same wherever a linker put it. */
export function noValues(finder: SiteSource): PointerValues {
  const { sitesOf, sites } = sitesFrom(finder);
  const valueAt = (index: number): number | undefined => {
    const form = sites.form[index] ?? 0;
    return form >= valueForm.branch26 ? encodeValue(form, sites.extra[index] ?? 0, 0, 0, 0) : 0;
  };
  return { sitesOf, valueAt };
}

/** What was there. */
export function sameValues(finder: SiteSource): PointerValues {
  return { sitesOf: sitesFrom(finder).sitesOf, valueAt: () => undefined };
}

function sitesFrom(finder: SiteSource) {
  const sites = new Sites();
  const sitesOf = (page: Uint8Array, start: number): Sites => {
    finder.find(page, start, sites);
    return sites;
  };
  return { sites, sitesOf };
}

/**
 * Prepares a file to be compared: pointers become what `values` says. In tables, and where code reaches for what another
 * program has, a mark of what they lead to comes with them, or nothing would tell one entry from another: the
 * one that was put in among them would make all behind it lead to their neighbours.
 */
export function markPointers(file: Uint8Array, finder: SiteSource, values: PointerValues): void {
  const symbols = markSymbols(file, finder);
  const late = finder.elf.sections.filter(
    ({ kind }) => kind === 'relocations' || kind === 'buckets',
  );
  const isLate = (at: number): boolean =>
    late.some(({ offset, size }) => at >= offset && at < offset + size);
  const markPage = (start: number, isSecond: boolean): void => {
    const sites = values.sitesOf(file.subarray(start, start + pageSize), start);
    for (let index = 0; index < sites.count; index++) {
      const at = start + (sites.at[index] ?? 0);
      if (isLate(at) !== isSecond) continue;
      const value = values.valueAt(index, at);
      if (value !== undefined) write(file, at, value, sites.width[index] ?? 0);
      addMark(file, finder, symbols, sites, index, at);
    }
  };
  for (let start = 0; start < file.length; start += pageSize) markPage(start, false);
  // These stand in front of what they lead to, and their marks are made of that as it is now.
  for (const { offset, size } of late) {
    for (let start = offset - (offset % pageSize); start < offset + size; start += pageSize) {
      markPage(start, true);
    }
  }
  for (const [word, mark] of symbols.words) {
    write(file, word, mark, 4);
    write(file, word + 4, mark, 4);
  }
}

/** Pointers become what `values` says, and nothing else. */
export function writePointers(file: Uint8Array, values: PointerValues): void {
  for (let start = 0; start < file.length; start += pageSize) {
    const sites = values.sitesOf(file.subarray(start, start + pageSize), start);
    for (let index = 0; index < sites.count; index++) {
      const at = start + (sites.at[index] ?? 0);
      const value = values.valueAt(index, at);
      if (value !== undefined) write(file, at, value, sites.width[index] ?? 0);
    }
  }
}

function addMark(
  file: Uint8Array,
  { elf }: SiteSource,
  { entries, words }: SymbolMarks,
  sites: Sites,
  index: number,
  at: number,
): void {
  const kind = sites.kind[index] ?? 0;
  const target = offsetOf(elf.segments, sites.target[index] ?? 0);
  const symbol = target === undefined ? undefined : (entries.get(target) ?? words.get(target));
  const form = sites.form[index] ?? 0;
  if ((kind & kernelClasses) !== 0) {
    write(file, at, bytesMark(file, target), 4);
  } else if ((kind & tableClasses) !== 0) {
    const mark = symbol ?? markOf(file, target, markSize);
    const width = sites.width[index] ?? 0;
    write(file, width === 8 ? at + 4 : at, mark, 4);
  } else if (kind === pointerClass.operand && symbol !== undefined) {
    const isInstruction = form >= valueForm.branch26;
    // Bits enough for pages and for what is aligned in them.
    const place = (symbol & 0xffff) * 4096 + (symbol & 0xff) * 16;
    const extra = sites.extra[index] ?? 0;
    const value = isInstruction ? encodeValue(form, extra, 0, place, 0) : symbol;
    if (value !== undefined) write(file, at, value, 4);
    // The jump of a linkage table (.plt) is followed by a push of the entry's number, which is another each time.
    if (!isInstruction && file[at + 4] === 0x68) write(file, at + 5, symbol, 4);
  }
}

/** A hash of what a word leads to. */
function bytesMark(file: Uint8Array, offset = file.length): number {
  let mark = 0;
  for (let at = offset; at < offset + markSize; at++) {
    mark = Math.imul(mark ^ (file[at] ?? 0), 0x01000193);
  }
  return mark >>> 0;
}

function write(file: Uint8Array, at: number, value: number, width: number): void {
  for (let byte = 0; byte < width; byte++) file[at + byte] = byteOf(value, byte);
}
