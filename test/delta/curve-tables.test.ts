import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { madeBytes } from '../../src/delta/chain/made-bytes.ts';
import { readTables } from '../../src/delta/decode/read-tables.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { encodeFull } from '../../src/delta/encode/full-delta.ts';
import { type DeltaItem, inspectDelta } from '../../src/delta/inspect.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from './support/image-pair.ts';
import { apart, bytesOf, joined, tableOf } from './support/point-table.ts';
import { generator, makeElf } from './support/small-elf.ts';

type Files = Readonly<Record<string, string | Uint8Array>>;

function noise(length: number, seed: number): Buffer {
  const random = generator(seed);
  return Buffer.from(Array.from({ length }, () => random() & 255));
}

async function roundTrip(before: Files, after: Files) {
  const [from, to] = [await makeImage(before, 'a'), await makeImage(after, 'b')];
  const { delta, contributions } = await encodeDelta(from, to);
  const file = deltaBytes(delta);
  const opened = await openBytes(file);
  const { bytes, kinds } = await applyDelta(opened, from.reader);
  expect(bytes.equals(to.bytes)).toBe(true);
  const items: DeltaItem[] = [];
  for await (const item of inspectDelta(opened)) items.push(item);
  expect(await madeBytes(opened)).toBe(kinds.literal);
  const computed = items.reduce((sum, item) => sum + item.computed, 0);
  const literals = items.reduce((sum, item) => sum + item.literals, 0);
  expect(literals).toBe(opened.header.streams.literals.plainSize);
  return { file, opened, computed, contributions };
}

const sm2 = bytesOf(tableOf('SM2', 1, { ...apart, length: 100_000 }));
const p256 = bytesOf(tableOf('prime256v1', 0, { ...joined, length: 37 * 4096 }));

describe('tables of points', () => {
  test('in a new file are computed', async () => {
    const after = { a: 'x', new: Buffer.concat([noise(3001, 1), sm2, noise(10, 2), p256]) };
    const { file, computed } = await roundTrip({ a: 'x' }, after);
    expect(computed).toBe(sm2.length + p256.length);
    expect(file.length).toBeLessThan(6000);
  });

  test('in a changed file, whose old one has the zeros between rows', async () => {
    const program = makeElf({ functions: [9, 30, 9], seed: 1 });
    const zeros = Buffer.concat([noise(500, 3), Buffer.alloc(64), noise(500, 4)]);
    const before = Buffer.concat([program, noise(9000, 5), zeros]);
    const after = Buffer.concat([program, noise(9000, 5), sm2, zeros, p256]);
    const { file, computed, contributions } = await roundTrip({ p: before }, { p: after });
    expect(computed).toBe(sm2.length + p256.length);
    expect(file.length).toBeLessThan(2000);
    expect(contributions.find(({ path }) => path === '/p')?.literals).toBeLessThan(200);
  });

  test('that the old file has are copied', async () => {
    const before = Buffer.concat([noise(3000, 1), p256, noise(3000, 2)]);
    const after = Buffer.concat([noise(3100, 7), p256, noise(3000, 2)]);
    const { computed } = await roundTrip({ p: before }, { p: after });
    expect(computed).toBe(0);
  });

  test('come out the same each time', async () => {
    const files = [{ a: 'x' }, { a: 'x', new: sm2 }] as const;
    const [one, other] = [await roundTrip(...files), await roundTrip(...files)];
    expect(one.file.equals(other.file)).toBe(true);
  });
});

describe('a full delta', () => {
  const folder = temporaryFolder();

  async function fullOf(image: Buffer) {
    const sha256 = createHash('sha256').update(image).digest('hex');
    const to = { commit: 'b'.repeat(64), image: { size: image.length, sha256 } };
    const pieces = async function* () {
      for (let at = 0; at < image.length; at += 10_007) yield image.subarray(at, at + 10_007);
    };
    const path = join(folder, 'literals');
    const { header, payload } = await encodeFull(to, pieces(), path);
    const file = Buffer.concat([deltaBytes({ header, payload }), readFileSync(path)]);
    const opened = await openBytes(file);
    const { bytes } = await applyDelta(opened, bytesReader(Buffer.of()));
    expect(bytes.equals(image)).toBe(true);
    const tables = await readTables(opened.stream('plan'), image.length, 'test');
    return { file, tables };
  }

  test.each([0, 1, 50_000, 3_000_001])('has a table behind %i other bytes computed', async (at) => {
    const image = Buffer.concat([Buffer.alloc(at, 'text '), sm2, Buffer.alloc(99, 'end ')]);
    const { file, tables } = await fullOf(image);
    expect(tables.map(({ before, table }) => [before, table.length])).toEqual([[at, sm2.length]]);
    expect(file.length).toBeLessThan(1500);
  });

  test('has one that goes beyond a window as two', async () => {
    const at = (4 << 20) - 70_001;
    const image = Buffer.concat([Buffer.alloc(at, 'text '), p256, Buffer.alloc(99, 'end ')]);
    const { tables } = await fullOf(image);
    const [first, second, ...others] = tables;
    expect(others).toEqual([]);
    expect([first?.before, first?.table.length]).toEqual([at, 70_001]);
    // The rest of a row is between them.
    expect(second?.before).toBe(18 * 4096 - 70_001);
    expect(second?.table.length).toBe(19 * 4096);
  });
});

describe.skipIf(missing('alpine') !== undefined)('the libcrypto of Alpine', () => {
  const folder = temporaryFolder();

  function library(version: string, machine: string): Buffer {
    const archive = join(alpineFolder, `alpine-minirootfs-${version}-${machine}.tar.gz`);
    const path = './lib/libcrypto.so.3';
    execFileSync('tar', ['-xzf', archive, '-C', folder, path]);
    return readFileSync(join(folder, path));
  }

  test('for arm64 gets its table of SM2 computed, but for the first zeros', async () => {
    const [before, after] = ['3.19.4', '3.20.3'].map((version) => library(version, 'aarch64'));
    const { file, computed } = await roundTrip({ l: before ?? '' }, { l: after ?? '' });
    expect(computed).toBe(32 * 256 * 64 - 64);
    expect(file.length).toBeLessThan(330_000);
  }, 120_000);

  test('for x86-64 gets its table of P-256 computed where it is new', async () => {
    const { computed } = await roundTrip({ a: 'x' }, { l: library('3.20.3', 'x86_64') });
    expect(computed).toBe(37 * 64 * 64);
  }, 120_000);
});
