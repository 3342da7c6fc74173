import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { addOffset } from './add-offset.ts';
import type { GoTables } from './tables.ts';

const { goCode, goTable } = pointerClass;
/** More lists than any function has. */
const mostLists = 64;
const inlinedSize = 16;
/** What is told of a function that became part of another has words below, or not below, these. */
const limits = { ofFunction: 32, ofInstruction: 1 << 20, name: 1024 };

/** The records of functions, from `first` (of the page) on. */
export function findRecordSites(
  page: Uint8Array,
  { to }: PagePart,
  first: number,
  go: GoTables,
  sites: Sites,
): void {
  for (let start = first; start + go.recordSize <= to; ) {
    addOffset(page, start, goCode, go.text, sites);
    addOffset(page, start + 4, goTable, go.names, sites);
    for (let word = 16; word < 28; word += 4) {
      addOffset(page, start + word, goTable, go.values, sites);
    }
    addOffset(page, start + 32, goTable, go.units, sites, 4);
    const values = int32(page, start + 28) >>> 0;
    if (values > mostLists) return;
    const lists = start + go.recordSize;
    const end = lists + 4 * (values + (page[lists - 1] ?? 0));
    for (let at = lists; at < end && at + 4 <= to; at += 4) {
      addOffset(page, at, goTable, at < lists + 4 * values ? go.values : go.data, sites);
    }
    start += 8 * Math.ceil((end - start) / 8);
  }
}

/** Names of functions that became part of others: each behind what is special about it, and before two small numbers. */
export function findInlinedSites(
  page: Uint8Array,
  part: PagePart,
  go: GoTables,
  sites: Sites,
): void {
  const { ofFunction, ofInstruction, name } = limits;
  for (let at = firstEntry(part, 4); at + inlinedSize <= part.to; at += 4) {
    const isInlined =
      at >= part.from &&
      int32(page, at) >>> 0 < ofFunction &&
      int32(page, at + 4) >= name &&
      int32(page, at + 4) < go.names.size &&
      int32(page, at + 8) >>> 0 < ofInstruction &&
      int32(page, at + 12) >>> 0 < ofInstruction;
    if (!isInlined) continue;
    addOffset(page, at + 4, goTable, go.names, sites);
    at += inlinedSize - 4;
  }
}
