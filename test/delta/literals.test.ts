import { describe, expect, test } from 'vitest';
import type { CurveTable } from '../../src/delta/curves/curve-table.ts';
import { ComputedCount } from '../../src/delta/decode/computed-count.ts';
import { Literals } from '../../src/delta/decode/literals.ts';
import { type PlacedTable, readTables } from '../../src/delta/decode/read-tables.ts';
import { StreamReader } from '../../src/delta/decode/stream-reader.ts';
import { TableSink } from '../../src/delta/encode/table-sink.ts';
import { maxTables } from '../../src/delta/format/delta-format.ts';
import { codeOf } from './support/image-pair.ts';
import { apart, bytesOf, joined, tableOf } from './support/point-table.ts';
import { generator } from './support/small-elf.ts';

const p256 = (length: number): CurveTable => tableOf('prime256v1', 0, { ...joined, length });
const sm2 = (length: number): CurveTable => tableOf('SM2', 1, { ...apart, length });

function readerOf(bytes: Uint8Array): StreamReader {
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
  };
  return new StreamReader(chunks(), bytes.length, 'test');
}

/** Literals that are plain bytes (numbers: so many) and tables, and what a delta has for them. */
function literalsOf(parts: readonly (number | CurveTable)[]) {
  const random = generator(8);
  const sink = new TableSink();
  const stream: Buffer[] = [];
  const all: Buffer[] = [];
  const tables: PlacedTable[] = [];
  let before = 0;
  for (const part of parts) {
    const isPlain = typeof part === 'number';
    const bytes = isPlain
      ? Buffer.from(Array.from({ length: part }, () => random() & 255))
      : bytesOf(part);
    all.push(bytes);
    const found = isPlain ? [] : [{ start: 0, end: bytes.length, table: part }];
    for (const piece of sink.cut(bytes, found)) stream.push(Buffer.from(piece));
    if (isPlain) {
      before += part;
    } else {
      tables.push({ before, table: part });
      before = 0;
    }
  }
  return { all: Buffer.concat(all), stream: Buffer.concat(stream), plan: sink.bytes, tables };
}

const orders: [string, (number | CurveTable)[]][] = [
  ['at the beginning', [p256(20_000), 3000]],
  ['in the middle', [3000, sm2(40_000), 2000]],
  ['at the end', [3000, p256(20_000)]],
  ['alone', [sm2(17_000)]],
  ['next to each other', [10, p256(9000), sm2(33_000), p256(64), 5, sm2(1), p256(8192), 1]],
  ['cut within a point', [100, p256(20_001), 100, sm2(16_320 + 30), 100, sm2(16_384 + 90), 100]],
  ['none', [5000]],
];

describe.each(orders)('tables among literals, %s', (_, parts) => {
  const { all, stream, plan, tables } = literalsOf(parts);

  test.each([1, 63, 4096, 1 << 20])('read in pieces of up to %i bytes', async (size) => {
    const literals = new Literals(readerOf(stream), tables, 'test');
    const target = Buffer.alloc(all.length);
    for (let at = 0; at < all.length; at += size) {
      await literals.readInto(target.subarray(at, at + size));
    }
    await literals.finish();
    expect(target.equals(all)).toBe(true);
  });

  test('told before the plan', async () => {
    const reader = readerOf(plan);
    expect(await readTables(reader, all.length, 'test')).toEqual(tables);
    await reader.finish();
  });

  test('counted', () => {
    const computed = tables.reduce((sum, { table }) => sum + table.length, 0);
    for (const size of [1, 63, 4096, 1 << 20]) {
      const count = new ComputedCount(tables);
      let found = 0;
      for (let at = 0; at < all.length; at += size) {
        found += count.take(Math.min(size, all.length - at));
      }
      expect(found).toBe(computed);
      expect(count.take(1000)).toBe(0);
    }
  });

  test('fewer or more bytes than there are: CORRUPT_DELTA', async () => {
    const ending = async (length: number): Promise<string> => {
      const literals = new Literals(readerOf(stream), tables, 'test');
      return codeOf(literals.readInto(new Uint8Array(length)).then(() => literals.finish()));
    };
    expect(await ending(all.length)).toBe('none');
    expect(await ending(all.length - 1)).toBe('CORRUPT_DELTA');
    expect(await ending(all.length + 1)).toBe('CORRUPT_DELTA');
  });
});

test('more tables than a delta may have stay literals', async () => {
  const parts = Array.from({ length: maxTables + 3 }, () => p256(128));
  const { all, stream, plan, tables } = literalsOf(parts);
  expect(stream.length).toBe(3 * 128);
  expect(await readTables(readerOf(plan), all.length, 'test')).toEqual(tables.slice(0, maxTables));
});

describe('a table that lies ends in CORRUPT_DELTA', () => {
  const size = 100_000;
  const good = { before: 5, length: 9000, width: 32, rowPoints: 64, gap: 0, doublings: 7 };
  const { curve, x, y } = p256(9000);
  const numbers = { p: curve.p, a: curve.a, r: curve.r, x, y };

  /** Reads the table, and the bytes that it makes; `told`: how many tables there are. */
  async function ending(
    changes: Partial<typeof good & typeof numbers>,
    told = 1,
    cut = 0,
  ): Promise<string> {
    const all = { ...good, ...numbers, ...changes };
    const bytes: number[] = [];
    const add = (value: number): void => {
      let rest = value;
      for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
      bytes.push(rest);
    };
    add(told);
    for (const name of Object.keys(good) as (keyof typeof good)[]) add(all[name]);
    for (const name of Object.keys(numbers) as (keyof typeof numbers)[]) {
      for (let at = 0; at < all.width; at++)
        bytes.push(Number((all[name] >> BigInt(8 * at)) & 255n));
    }
    const plan = Buffer.from(bytes.slice(0, bytes.length - cut));
    const read = async (): Promise<void> => {
      const tables = await readTables(readerOf(plan), size, 'test');
      const literals = new Literals(readerOf(Buffer.alloc(5)), tables, 'test');
      await literals.readInto(new Uint8Array(5 + all.length));
      await literals.finish();
    };
    return codeOf(read());
  }

  test('not when it does not', async () => {
    expect(await ending({})).toBe('none');
    expect(await ending({ rowPoints: 1024, length: 70_000 })).toBe('none');
    expect(await ending({ width: 64, rowPoints: 1024, length: 200_000 })).toBe('none');
    expect(await ending({ gap: 4096, doublings: 16 })).toBe('none');
    expect(await ending({ x: 12n, y: 34n })).toBe('none');
  });

  test.each<[string, Parameters<typeof ending>]>([
    ['no bytes', [{ length: 0 }]],
    ['bytes beyond 16 times the image', [{ length: 16 * size + 1 }]],
    ['bytes beyond all bounds', [{ length: 2 ** 48 }]],
    ['before it more than there is', [{ before: 6 }]],
    ['narrow coordinates', [{ width: 15 }]],
    ['wide coordinates', [{ width: 73 }]],
    ['short rows', [{ rowPoints: 15 }]],
    ['long rows', [{ rowPoints: 1025 }]],
    ['rows of many bytes', [{ width: 72, rowPoints: 1000 }]],
    ['a wide gap', [{ gap: 4097 }]],
    ['no doubling', [{ doublings: 0 }]],
    ['many doublings', [{ doublings: 17 }]],
    ['p of 0', [{ p: 0n, a: 0n, r: 0n, x: 0n, y: 0n }]],
    ['p of 1', [{ p: 1n, a: 0n, r: 0n, x: 0n, y: 0n }]],
    ['p of 3', [{ p: 3n, a: 1n, r: 1n, x: 1n, y: 1n }]],
    ['an even p', [{ p: curve.p - 1n, a: 1n, r: 1n, x: 1n, y: 1n }]],
    ['a not below p', [{ a: curve.p }]],
    ['r not below p', [{ r: curve.p }]],
    ['x not below p', [{ x: curve.p }]],
    ['y not below p', [{ y: curve.p + 1n }]],
    ['r of 0', [{ r: 0n }]],
    ['r without an inverse', [{ p: 3n * 2n ** 100n + 3n, a: 1n, r: 3n, x: 5n, y: 7n }]],
    ['a point whose double is at infinity', [{ y: 0n }]],
    ['a point of small order', [{ p: 17n, a: 2n, r: 1n, x: 5n, y: 1n }]],
    ['a product for p', [{ p: 15_015n, a: 2n, r: 1n, x: 5n, y: 11n }]],
    ['more tables', [{}, 2]],
    ['too many tables', [{}, maxTables + 1]],
    ['its end', [{}, 1, 1]],
  ])('%s', async (_, changes) => {
    expect(await ending(...changes)).toBe('CORRUPT_DELTA');
  });
});
