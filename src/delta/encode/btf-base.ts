import { type BtfBase, noBase } from '../pointers/btf/bases.ts';
import type { BtfLayout } from '../pointers/btf/layout.ts';
import {
  btfKind,
  kindOf,
  recordHeader,
  recordSize,
  visitNumbers,
} from '../pointers/btf/records.ts';
import { int32 } from '../pointers/little-endian.ts';

/** So many of the last names may be used by nothing. */
const unusedNames = 64;

/** Where the records of a file's BTF begin, up to the first of a kind that is not known. */
export function recordsOf(file: Uint8Array, { types: { offset, size } }: BtfLayout): number[] {
  const records: number[] = [];
  for (let at = offset; at + recordHeader <= offset + size; ) {
    const length = recordSize(int32(file, at + 4));
    if (length === 0 || at + length > offset + size) break;
    records.push(at);
    at += length;
  }
  return records;
}

/**
 * How many types and bytes of names a file's own go on from, and those of the modules behind it probably do. A module does not say so: it
 * is `guess` if that fits, or else what its own numbers tell. A wrong one costs bytes and nothing else.
 */
export function findBase(
  file: Uint8Array,
  layout: BtfLayout,
  guess: BtfBase,
): { readonly base: BtfBase; readonly next: BtfBase } {
  const records = recordsOf(file, layout);
  const { names } = layout;
  // A kernel's names begin with the one of what has none.
  if (names.size > 0 && file[names.offset] === 0) {
    return { base: noBase, next: { types: records.length, names: names.size } };
  }
  const base = {
    types: typesBase(file, records, guess),
    names: namesBase(file, layout, records, guess),
  };
  return { base, next: base };
}

/** A function comes right behind its prototype, for the most part. */
function typesBase(file: Uint8Array, records: readonly number[], guess: BtfBase): number {
  const votes = new Map<number, number>();
  let [best, most] = [guess.types, 0];
  for (const [index, at] of records.entries()) {
    const before = records[index - 1];
    if (before === undefined || kindOf(int32(file, at + 4)) !== btfKind.function) continue;
    if (kindOf(int32(file, before + 4)) !== btfKind.prototype) continue;
    const base = int32(file, at + 8) - index;
    const count = (votes.get(base) ?? 0) + 1;
    votes.set(base, count);
    if (base >= 0 && count > most) [best, most] = [base, count];
  }
  return votes.has(guess.types) ? guess.types : best;
}

/** All names from it on are where a name begins. */
function namesBase(
  file: Uint8Array,
  { names: { offset, size } }: BtfLayout,
  records: readonly number[],
  guess: BtfBase,
): number {
  let last = 0;
  const visitNames = (visit: (name: number) => void): void => {
    for (const at of records) {
      visitNumbers(at, int32(file, at + 4), (place, isName) => {
        if (isName) visit(int32(file, place));
      });
    }
  };
  visitNames((name) => {
    last = Math.max(last, name);
  });
  const fits = (base: number): boolean => {
    if (base <= 0 || last < base || last - base >= size) return false;
    let isFit = true;
    visitNames((name) => {
      if (name > base && file[offset + name - base - 1] !== 0) isFit = false;
    });
    return isFit;
  };
  if (size === 0 || fits(guess.names)) return guess.names;
  // The last name that is used is one of the last.
  let start = offset + size;
  for (let tries = 0; tries < unusedNames && start > offset; tries++) {
    start--;
    while (start > offset && file[start - 1] !== 0) start--;
    if (fits(last - (start - offset))) return last - (start - offset);
  }
  return guess.names;
}
