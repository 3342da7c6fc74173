import { type AddressRange, int32 } from './code-sites.ts';
import { findPointerSites, firstEntry, type PagePart } from './data-sites.ts';
import type { SectionKind } from './elf.ts';
import type { GoRange } from './go-module.ts';
import type { GoTables } from './go-tables.ts';
import { pageSize, pointerClass, type Sites, valueForm } from './sites.ts';

const { goCode, goTable, goBucket, goType } = pointerClass;
const bucketSize = 20;
const inlinedSize = 16;
const typeSize = 48;
const methodSize = 16;
/** More lists than any function has. */
const mostLists = 64;
/** Kinds of types are numbered from 1 on. */
const mostKinds = 26;
/** What tells that a word is a small number. */
const smallNumber = { ofFunction: 32, ofInstruction: 1 << 20, name: 1024 };

/** A page's part of one of the tables; the page begins at `start`. */
interface GoPart extends PagePart {
  readonly kind: SectionKind;
  readonly start: number;
}

/**
 * Numbers in the tables of a Go program that are the distance of something from the beginning of what it is in; among its types also
 * addresses, where it is linked for a fixed one.
 */
export function findGoSites(
  page: Uint8Array,
  part: GoPart,
  go: GoTables,
  fixed: AddressRange | undefined,
  sites: Sites,
): void {
  switch (part.kind) {
    case 'go-units':
      for (const at of entries(part, 4)) addOffset(page, at, goTable, go.files, sites);
      break;
    case 'go-functions':
      // Each word by itself: one that begins a function, one with its record.
      for (const at of entries(part, 4)) {
        if ((part.before + at - part.from) % 8 === 0) addOffset(page, at, goCode, go.text, sites);
        else addOffset(page, at, goTable, go.functions, sites);
      }
      break;
    case 'go-records': {
      const first = go.records.firstIn(part.start / pageSize);
      if (first !== undefined) findRecordSites(page, part, first, go, sites);
      break;
    }
    case 'go-buckets':
      // The number of the first function.
      for (const at of entries(part, bucketSize, 4)) {
        addOffset(page, at, goBucket, go.functions, sites, 8);
      }
      break;
    case 'go-inlined':
      findInlinedSites(page, part, go, sites);
      break;
    case 'go-types':
      findTypeSites(page, part, go, sites);
      if (fixed !== undefined) findPointerSites(page, part, fixed, sites, pointerClass.constant);
      break;
    case 'go-links':
      for (const at of entries(part, 4)) addOffset(page, at, goType, go.types, sites);
      break;
    default:
  }
}

/** Where entries begin of which the first `wanted` bytes are in the part. */
function* entries(part: PagePart, size: number, wanted = size): Generator<number> {
  for (let at = firstEntry(part, size); at + wanted <= part.to; at += size) {
    if (at >= part.from) yield at;
  }
}

/** Adds a word that is above 0 and the distance from the beginning of a range to something in it, in units of so many bytes. */
function addOffset(
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

/** The records of functions, from `first` (of the page) on. */
function findRecordSites(
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
function findInlinedSites(page: Uint8Array, part: PagePart, go: GoTables, sites: Sites): void {
  const { ofFunction, ofInstruction, name } = smallNumber;
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

/** Descriptions of types, and their methods. */
function findTypeSites(page: Uint8Array, part: PagePart, go: GoTables, sites: Sites): void {
  for (let at = firstEntry(part, 8); at + methodSize <= part.to; at += 8) {
    if (at < part.from) continue;
    if (at + typeSize <= part.to && isType(page, at)) {
      addOffset(page, at + 40, goType, go.types, sites);
      addOffset(page, at + 44, goType, go.types, sites);
      at += typeSize - 8;
    } else if (isMethod(page, at, go)) {
      addOffset(page, at, goType, go.types, sites);
      addOffset(page, at + 4, goType, go.types, sites);
      addOffset(page, at + 8, goCode, go.text, sites);
      addOffset(page, at + 12, goCode, go.text, sites);
      at += methodSize - 8;
    }
  }
}

/** A size, how much of it has pointers, a hash, the alignment twice, the kind, and two pointers. */
function isType(page: Uint8Array, at: number): boolean {
  const [alignment, kind] = [page[at + 21] ?? 0, (page[at + 23] ?? 0) & 31];
  const isAligned = alignment === page[at + 22] && [1, 2, 4, 8].includes(alignment);
  if (!isAligned || kind === 0 || kind > mostKinds) return false;
  const uppers = int32(page, at + 4) | int32(page, at + 12) | int32(page, at + 28);
  return (uppers | int32(page, at + 36)) === 0;
}

/** A name, a type, and two addresses of code, of which those that nobody needs are -1. */
function isMethod(page: Uint8Array, at: number, { types, text }: GoTables): boolean {
  const name = int32(page, at);
  return (
    name > 0 &&
    name < types.size &&
    isInOrNone(int32(page, at + 4), types) &&
    isInOrNone(int32(page, at + 8), text) &&
    isInOrNone(int32(page, at + 12), text)
  );
}

function isInOrNone(word: number, { size }: GoRange): boolean {
  return word === -1 || (word > 0 && word < size);
}
