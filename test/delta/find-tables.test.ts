import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type FoundTable, findTables } from '../../src/delta/encode/find-tables.ts';
import { judgedCurves, judgedTable, multipleOf } from './support/curve-judge.ts';
import { apart, bytesOf, joined, tableOf } from './support/point-table.ts';
import { generator } from './support/small-elf.ts';

function noise(length: number, seed: number): Buffer {
  const random = generator(seed);
  return Buffer.from(Array.from({ length }, () => random() & 255));
}

const places = (found: readonly FoundTable[]) => found.map(({ start, end }) => [start, end]);

describe.each(judgedCurves)('a table of %s, %s', (name, _, index) => {
  test.each([
    { rowPoints: 64, gap: 0, doublings: 7 },
    { rowPoints: 32, gap: 0, doublings: 6 },
    { rowPoints: 255, gap: 64, doublings: 8 },
    { rowPoints: 128, gap: 0, doublings: 8 },
    { rowPoints: 31, gap: 3, doublings: 5 },
    { rowPoints: 1000, gap: 0, doublings: 16 },
  ])('with rows of $rowPoints, $gap apart, is found anywhere', (shape) => {
    const table = bytesOf(tableOf(name, index, { ...shape, length: 130_000 }));
    for (const before of [0, 1, 5000, 70_003]) {
      const bytes = Buffer.concat([noise(before, 3), table, noise(9001, 4)]);
      const [found, ...others] = findTables(bytes);
      expect(others).toEqual([]);
      expect(found).toMatchObject({
        ...{ start: before, end: before + table.length },
        table: { ...shape, length: table.length, width: 32 },
      });
    }
  });

  test('whose first row begins in its middle is found from the second on', () => {
    for (const shape of [joined, apart]) {
      const table = bytesOf(tableOf(name, index, { ...shape, length: 200_000 }));
      const row = 64 * shape.rowPoints + shape.gap;
      const bytes = Buffer.concat([noise(777, 3), table.subarray(640)]);
      const end = 777 + 200_000 - 640;
      expect(places(findTables(bytes))).toEqual([[777 + row - 640, end]]);
    }
  });
});

test('one behind the other, and each as far as it is right', () => {
  const one = judgedTable('prime256v1', 0, { ...joined, rows: 3 });
  const two = bytesOf(tableOf('SM2', 1, { ...apart, length: 100_000 }));
  const three = bytesOf(tableOf('prime256v1', 0, { ...joined, length: 100_000 }));
  three[50_000] = (three[50_000] ?? 0) ^ 1;
  const found = findTables(Buffer.concat([one, two, three]));
  expect(places(found)).toEqual([
    [0, one.length],
    [one.length, one.length + 100_000],
    [one.length + 100_000, one.length + 150_000],
    // The byte is in the thirteenth row.
    [one.length + 100_000 + 13 * 4096, one.length + 200_000],
  ]);
});

test('only where it is asked for', () => {
  const table = bytesOf(tableOf('SM2', 1, { ...apart, length: 100_000 }));
  const bytes = Buffer.concat([noise(40_000, 1), table, noise(40_000, 2)]);
  expect(
    findTables(bytes, [
      { from: 0, to: 40_000 },
      { from: 140_000, to: 180_000 },
    ]),
  ).toEqual([]);
  const found = findTables(bytes, [
    { from: 0, to: 40_000 },
    { from: 90_000, to: 95_000 },
  ]);
  expect(places(found)).toEqual([[40_000, 140_000]]);
});

/** S, 3S, 5S …: points of a curve in another order. */
function oddMultiple(index: number): Buffer {
  const [x, y] = multipleOf('SM2', 1, BigInt(2 * index + 1));
  const hex = [y, x].map((value) => value.toString(16).padStart(64, '0')).join('');
  return Buffer.from(hex, 'hex').reverse();
}

test.each([
  ['nothing', Buffer.of()],
  ['noise', noise(200_000, 5)],
  ['zeros', Buffer.alloc(200_000)],
  ['a program', readFileSync(process.execPath).subarray(0, 4 << 20)],
  ['one point again and again', Buffer.alloc(200_000, oddMultiple(7))],
  ['every other point', Buffer.concat(Array.from({ length: 2000 }, (_, at) => oddMultiple(at)))],
])('none in %s', (_, bytes) => {
  expect(findTables(bytes)).toEqual([]);
});
