import type { BtfBase } from '../pointers/btf/bases.ts';
import type { BtfLayout } from '../pointers/btf/layout.ts';
import type { BtfMemory } from '../pointers/btf/memory.ts';
import { kindOf, recordSize, visitNumbers } from '../pointers/btf/records.ts';
import { int32, writeWord } from '../pointers/little-endian.ts';
import { recordsOf } from './btf-base.ts';
import { hashText } from './hash-bytes.ts';

/** So many types without a name are looked through on the way to one that has a name. */
const depth = 4;
const longestName = 256;

/** What the marks of one file are made with. */
export interface BtfMarks {
  readonly layout: BtfLayout;
  readonly base: BtfBase;
  /** Of an old file: what becomes of the numbers of the kernel's types and names. */
  readonly known: BtfMemory | undefined;
}

/**
 * Puts marks of what they lead to in place of the numbers of types and names, so that records that mean the same are alike in both
 * files, whatever order they are in. Numbers of a kernel's in a module become what they probably are in the new one.
 */
export function markBtf(file: Uint8Array, { layout, base, known }: BtfMarks): void {
  const records = recordsOf(file, layout);
  const { offset, size } = layout.names;
  const nameMark = (name: number): number => {
    if (name === 0) return 0;
    if (name < base.names) return name + (known?.kernelNames.shiftOf(name) ?? 0);
    const inside = name - base.names;
    return hashText(file, offset + inside, Math.min(longestName, size - inside));
  };
  let marks = Int32Array.from(records, (at) => {
    const kind = kindOf(int32(file, at + 4));
    return mix(kind, nameMark(int32(file, at)));
  });
  const typeMark = (type: number): number => {
    if (type === 0) return 0;
    if (type <= base.types) return type + (known?.kernelTypes.shiftOf(type) ?? 0);
    return marks[type - base.types - 1] ?? 0;
  };
  for (let round = 0; round < depth; round++) {
    marks = marks.map((mark, index) => {
      const at = records[index] ?? 0;
      return int32(file, at) === 0 ? contentMark(file, at, nameMark, typeMark) : mark;
    });
  }
  for (const at of records) {
    visitNumbers(at, int32(file, at + 4), (place, isName) => {
      const value = int32(file, place);
      if (value > 0) writeWord(file, place, isName ? nameMark(value) : typeMark(value));
    });
  }
}

/** A hash of all that a record says. */
function contentMark(
  file: Uint8Array,
  start: number,
  nameMark: (name: number) => number,
  typeMark: (type: number) => number,
): number {
  const info = int32(file, start + 4);
  let mark = info;
  let next = start + 4;
  const addWords = (end: number): void => {
    for (; next < end; next += 4) mark = mix(mark, int32(file, next));
  };
  visitNumbers(start, info, (at, isName) => {
    addWords(at);
    const value = int32(file, at);
    mark = mix(mark, isName ? nameMark(value) : typeMark(value));
    next = at + 4;
  });
  addWords(start + recordSize(info));
  return mark;
}

function mix(mark: number, value: number): number {
  const mixed = Math.imul(mark ^ value, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) | 0;
}
