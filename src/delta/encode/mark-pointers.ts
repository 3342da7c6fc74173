import type { Section, SectionKind } from '../pointers/elf/elf.ts';
import { offsetOf } from '../pointers/elf/segments.ts';
import { writeNumber, writeWord } from '../pointers/little-endian.ts';
import { pointerClass } from '../pointers/pointer-class.ts';
import { encodeValue } from '../pointers/predict/pointer-value.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { maxSites, pageSize, Sites } from '../pointers/sites.ts';
import { valueForm } from '../pointers/value-form.ts';
import { hashBytes, hashText } from './hash-bytes.ts';
import { markSymbols, type SymbolMarks } from './symbol-marks.ts';

const { operand, pointer, constant, relocation, number, selfRelative, listed } = pointerClass;
const { goCode, goTable, goBucket, goType } = pointerClass;
/** Classes whose entries lie side by side in tables, and are all alike without their pointers. */
const tableClasses =
  pointer | constant | relocation | number | goCode | goTable | goBucket | goType;
/** Those of kernels, which lead into code: zeros there are not the end of anything. */
const kernelClasses = selfRelative | listed;
const markedClasses = tableClasses | kernelClasses | operand;
/** A mark is made of at most so many bytes of what a pointer leads to. */
const markSize = 16;
/** What tells one type in Go from another has zeros before it. */
const typeMarkSize = 24;

/** Sections in front of what they lead to. */
const lateKinds: readonly SectionKind[] = ['relocations', 'buckets', 'go-functions', 'go-buckets'];

/** What comes in place of a file's pointers. */
export interface PointerValues {
  /** The sites of a page, of which those that were not replaced yet are as they were. */
  sitesOf(page: Uint8Array, start: number): Sites;
  /** The values for the sites of the page asked for last, by their numbers; NaN: it stays. Good until the next page is asked for. */
  values(): Float64Array;
}

/** Nothing: what is left of a file is the same wherever a linker put it. */
export function noValues(finder: SiteSource): PointerValues {
  const { sitesOf, sites } = sitesFrom(finder);
  const values = new Float64Array(maxSites);
  const nothing = (): Float64Array => {
    for (let index = 0; index < sites.count; index++) {
      const form = sites.form[index] ?? 0;
      const extra = sites.extra[index] ?? 0;
      if (form < valueForm.branch26) values[index] = 0;
      else if (form === valueForm.number) values[index] = Number.NaN;
      else values[index] = encodeValue(form, extra, 0, 0, 0) ?? Number.NaN;
    }
    return values;
  };
  return { sitesOf, values: nothing };
}

/** What was there. */
export function sameValues(finder: SiteSource): PointerValues {
  const values = new Float64Array(maxSites).fill(Number.NaN);
  return { sitesOf: sitesFrom(finder).sitesOf, values: () => values };
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
  const { sections } = finder.elf;
  // Their marks are made of what they lead to as it is after all others.
  const late = sections.filter(({ kind }) => lateKinds.includes(kind));
  const marked = { file, finder, symbols: markSymbols(file, finder), late };
  for (let start = 0; start < file.length; start += pageSize) {
    markPage(marked, values, start, false);
  }
  for (const { offset, size } of late) {
    for (let start = offset - (offset % pageSize); start < offset + size; start += pageSize) {
      markPage(marked, values, start, true);
    }
  }
  for (const [word, mark] of marked.symbols.words) {
    writeWord(file, word, mark);
    writeWord(file, word + 4, mark);
  }
}

/** A file that is being marked. */
interface MarkedFile {
  readonly file: Uint8Array;
  readonly finder: SiteSource;
  readonly symbols: SymbolMarks;
  /** What is marked when all else is. */
  readonly late: readonly Section[];
}

/** Marks the sites of a page: those in sections that are late, or the others. */
function markPage(marked: MarkedFile, values: PointerValues, start: number, isLate: boolean): void {
  const { file } = marked;
  const late = marked.late.filter(
    ({ offset, size }) => offset < start + pageSize && offset + size > start,
  );
  const sites = values.sitesOf(file.subarray(start, start + pageSize), start);
  const wanted = values.values();
  for (let index = 0; index < sites.count; index++) {
    const at = start + (sites.at[index] ?? 0);
    if (late.length > 0 && isInSome(late, at) !== isLate) continue;
    const value = wanted[index] ?? 0;
    if (!Number.isNaN(value)) writeNumber(file, at, value, sites.width[index] ?? 0);
    addMark(marked, sites, index, at);
  }
}

function isInSome(sections: readonly Section[], at: number): boolean {
  return sections.some(({ offset, size }) => at >= offset && at < offset + size);
}

/** Pointers become what `values` says, and nothing else. */
export function writePointers(file: Uint8Array, values: PointerValues): void {
  for (let start = 0; start < file.length; start += pageSize) {
    const sites = values.sitesOf(file.subarray(start, start + pageSize), start);
    const wanted = values.values();
    for (let index = 0; index < sites.count; index++) {
      const value = wanted[index] ?? 0;
      if (Number.isNaN(value)) continue;
      writeNumber(file, start + (sites.at[index] ?? 0), value, sites.width[index] ?? 0);
    }
  }
}

function addMark(
  { file, finder, symbols }: MarkedFile,
  sites: Sites,
  index: number,
  at: number,
): void {
  const kind = sites.kind[index] ?? 0;
  if ((kind & markedClasses) === 0) return;
  const target = offsetOf(finder.elf.segments, sites.target[index] ?? 0);
  if ((kind & kernelClasses) !== 0) {
    writeWord(file, at, hashBytes(file, target ?? file.length, markSize));
    return;
  }
  const { entries, words } = symbols;
  const symbol = target === undefined ? undefined : (entries.get(target) ?? words.get(target));
  if ((kind & tableClasses) !== 0) {
    const mark =
      symbol ??
      ((kind & goType) !== 0
        ? hashBytes(file, target ?? file.length, typeMarkSize)
        : hashText(file, target, markSize));
    writeWord(file, sites.width[index] === 8 ? at + 4 : at, mark);
  } else if (symbol !== undefined) {
    const form = sites.form[index] ?? 0;
    const isInstruction = form >= valueForm.branch26;
    // Bits enough for pages and for what is aligned in them.
    const place = (symbol & 0xffff) * 4096 + (symbol & 0xff) * 16;
    const extra = sites.extra[index] ?? 0;
    const value = isInstruction ? encodeValue(form, extra, 0, place, 0) : symbol;
    if (value !== undefined) writeWord(file, at, value | 0);
    // The jump of a linkage table (.plt) is followed by a push of the entry's number, which is another each time.
    if (!isInstruction && file[at + 4] === 0x68) writeWord(file, at + 5, symbol);
  }
}
