import { describe, expect, test } from 'vitest';
import { type CurveTable, tableRows } from '../../../src/delta/curves/curve-table.ts';
import { readNumber, writeNumber } from '../../../src/delta/curves/little-endian.ts';
import { judgedCurves, judgedTable, knownCurve, multipleOf } from '../support/curve-judge.ts';

function bytesOf(table: CurveTable): Buffer {
  const rows: Buffer[] = [];
  for (const row of tableRows(table)) rows.push(Buffer.from(row));
  return Buffer.concat(rows);
}

describe.each(judgedCurves)('a table of %s, %s', (name, _, index) => {
  test.each([
    { rows: 4, rowPoints: 16, gap: 0, doublings: 4 },
    { rows: 3, rowPoints: 33, gap: 0, doublings: 6 },
    { rows: 3, rowPoints: 31, gap: 64, doublings: 5 },
    { rows: 4, rowPoints: 17, gap: 5, doublings: 1 },
    { rows: 2, rowPoints: 16, gap: 0, doublings: 13 },
    { rows: 1, rowPoints: 64, gap: 0, doublings: 1 },
  ])('of $rows rows of $rowPoints, $gap apart, $doublings doublings', (shape) => {
    const expected = judgedTable(name, index, shape);
    const [x, y] = multipleOf(name, index, 1n);
    const { curve } = knownCurve(index);
    const { rowPoints, gap, doublings } = shape;
    const table = { curve, width: 32, rowPoints, gap, doublings, x, y };
    // Whole, without what is behind the last row, and cut anywhere.
    const row = 64 * rowPoints + gap;
    const cuts = [0, gap, 1, 31, 33, 64, 65, row - 1, row, row + 1].filter(
      (cut) => cut < expected.length,
    );
    for (const length of [1, ...cuts.map((cut) => expected.length - cut)]) {
      const made = bytesOf({ ...table, length });
      expect(made.equals(expected.subarray(0, length)), `${length} bytes`).toBe(true);
    }
  });
});

test.each([1, 7, 8, 9, 16, 28, 32, 48, 66, 72])('a number of %i bytes', (width) => {
  const bytes = new Uint8Array(width + 4).fill(9);
  const hex = Array.from({ length: width }, (_, at) => (at * 37 + 129) % 256);
  const value = BigInt(`0x${Buffer.from(hex).toString('hex')}`);
  writeNumber(new DataView(bytes.buffer), 2, width, value);
  expect([...bytes]).toEqual([9, 9, ...hex.toReversed(), 9, 9]);
  expect(readNumber(bytes, 2, width)).toBe(value);
});
