import { type CurveTable, tableRows } from '../curves/curve-table.ts';
import { readNumber } from '../curves/little-endian.ts';
import { coordinateSize, knownCurves } from './known-curves.ts';
import { type TableGuess, TableRows } from './table-rows.ts';

/** A table of points in some bytes. */
export interface FoundTable {
  readonly start: number;
  readonly end: number;
  readonly table: CurveTable;
}

/** Where bytes begin and end. */
export interface Part {
  readonly from: number;
  readonly to: number;
}

/** A shorter table is not worth its numbers. */
const leastTable = 2048;
/** It is looked for once in so many bytes. */
const step = 65536;
/** Of so many bytes most are different ones, where nothing compresses them: on average 101 of 256, in code some 50. */
const sampleSize = 128;
const leastDifferent = 80;

/**
 * Tables of the points of known curves, in their order. Each is made again, and ends where other bytes come out. What is
 * looked at are `parts` of the bytes; a table may go beyond. Those of less than `step` bytes may be missed.
 */
export function findTables(
  bytes: Uint8Array,
  parts: Iterable<Part> = [{ from: 0, to: bytes.length }],
): FoundTable[] {
  const found: FoundTable[] = [];
  let end = 0;
  for (const { from, to } of parts) {
    if (to - from < leastTable) continue;
    for (let at = from + leastTable / 2; at + sampleSize <= to; at += step) {
      if (at < end || !isVaried(bytes, at)) continue;
      const table = findTable(bytes, at, end);
      if (table === undefined) continue;
      found.push(table);
      end = table.end;
    }
  }
  return found;
}

function isVaried(bytes: Uint8Array, from: number): boolean {
  const seen = new Uint8Array(256);
  let different = 0;
  for (let at = from; at < from + sampleSize; at++) {
    const byte = bytes[at] ?? 0;
    if (seen[byte] === 0) different++;
    seen[byte] = 1;
  }
  return different >= leastDifferent;
}

/** Tries all places where a point may begin. */
function findTable(bytes: Uint8Array, from: number, before: number): FoundTable | undefined {
  const size = 2 * coordinateSize;
  const end = Math.min(from + size, bytes.length - size + 1);
  for (let at = from; at < end; at++) {
    const x = readNumber(bytes, at, coordinateSize);
    const y = readNumber(bytes, at + coordinateSize, coordinateSize);
    for (const known of knownCurves) {
      if (!known.isOn(x, y)) continue;
      const guesses = new TableRows(bytes, known, Math.max(before, at - 2 * step)).guess(at);
      const tables = guesses.map((guess) => makeAgain(bytes, guess));
      const longest = tables.toSorted((one, other) => other.end - one.end)[0];
      if (longest !== undefined && longest.end - longest.start >= leastTable) return longest;
    }
  }
  return undefined;
}

/** The table as far as the bytes that are made are those that are there. */
function makeAgain(bytes: Uint8Array, { start, shape }: TableGuess): FoundTable {
  let end = start;
  for (const row of tableRows({ ...shape, length: bytes.length - start })) {
    const equal = equalBytes(row, bytes.subarray(end, end + row.length));
    end += equal;
    if (equal < row.length) break;
  }
  return { start, end, table: { ...shape, length: end - start } };
}

function equalBytes(one: Uint8Array, other: Uint8Array): number {
  if (Buffer.compare(one, other) === 0) return one.length;
  return one.findIndex((byte, index) => byte !== other[index]);
}
