import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseLayout } from '../../../src/disk/layout.ts';
import { nodeBlockDevice } from '../../../src/disk/node-block-device.ts';
import { planDisk } from '../../../src/install/hijack/disk-plan.ts';
import { readPartitionTable } from '../../../src/install/hijack/storage/partition-table.ts';
import { bytesReader } from '../../../src/ports/positioned-reader.ts';
import fc from '../../support/fast-check.ts';
import { missing } from '../../support/requirements.ts';

const MiB = 1 << 20;
const GiB = 1 << 30;
const layoutPath = new URL('../../../layouts/vm-small.cfg', import.meta.url);
const layout = parseLayout(readFileSync(layoutPath, 'utf8'), 'vm-small.cfg');
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-table-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A disk that the real sfdisk divided. */
async function divided(script: string, size = 20 * GiB) {
  const path = join(folder, 'disk.img');
  writeFileSync(path, '');
  truncateSync(path, size);
  const options = ['-q', '--no-reread', '--no-tell-kernel', path];
  execFileSync('sfdisk', options, { input: script, env: { PATH: '/usr/sbin:/sbin:/usr/bin' } });
  const json = execFileSync('sfdisk', ['-J', path], { env: { PATH: '/usr/sbin:/sbin:/usr/bin' } });
  const disk = await nodeBlockDevice(path).open('read');
  const table = await readPartitionTable(disk, path).finally(() => disk.close());
  return { table, sfdisk: JSON.parse(json.toString()).partitiontable, diskSize: size };
}

/** As Debian's installer divides a disk: swap as a logical partition behind the root. */
const debianMbr = 'label: dos\nsize=18GiB, type=83, bootable\ntype=5\ntype=82\n';
/** As cloud images are: the root grows at the end, and what boots stands before it. */
const cloudGpt = [
  'label: gpt',
  'first-lba: 34',
  'start=2048, size=3MiB, type=21686148-6449-6E6F-744E-656564454649',
  'size=124MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B',
  'type=0FC63DAF-8483-4772-8E79-3D69D8477DE4',
  '',
].join('\n');

describe.skipIf(missing('disk'))('partition tables that sfdisk wrote', () => {
  test.each([
    ['an MBR with logical partitions', `${debianMbr}`, 'mbr'],
    ['three logical ones', 'label: dos\nsize=4GiB\ntype=5\nsize=1GiB\nsize=2GiB\n\n', 'mbr'],
    ['a GPT', cloudGpt, 'gpt'],
  ])('%s', async (_, script, kind) => {
    const { table, sfdisk } = await divided(script);
    expect(table.kind).toBe(kind);
    expect(table.grubInFirstSector).toBe(false);
    expect(
      table.partitions.map(({ number, start, size }) => [number, start / 512, size / 512]),
    ).toEqual(
      sfdisk.partitions.map((one: { node: string; start: number; size: number }) => [
        Number(/\d+$/.exec(one.node)?.[0]),
        // Of an extended partition the kernel and sfdisk show the whole.
        one.start,
        one.size,
      ]),
    );
  });

  test('swap behind the root goes; what boots stays, and keeps its number', async () => {
    const { table, diskSize } = await divided(debianMbr);
    const common = { diskSize, layout, least: GiB, payload: 300 * MiB };
    const mbr = planDisk({ ...common, table, root: 1 });
    if (mbr.kind !== 'fits') throw new Error(mbr.kind);
    expect(mbr.plan.removed.map(({ number }) => number)).toEqual([5]);
    expect(mbr.plan.partitions.map(({ number }) => number)).toEqual([2, 3, 4, 5, 6, 7, 8]);

    const gpt = planDisk({ ...common, table: (await divided(cloudGpt)).table, root: 3 });
    if (gpt.kind !== 'fits') throw new Error(gpt.kind);
    expect(gpt.plan.removed).toEqual([]);
    expect(gpt.plan.partitions.map(({ number }) => number)).toEqual([4, 5, 6, 7, 8, 9, 10]);
  });

  test('a partition for /home is foreign', async () => {
    const { table, diskSize } = await divided('label: dos\nsize=10GiB\nsize=5GiB\n');
    const outcome = planDisk({ diskSize, table, root: 1, layout, least: GiB, payload: 0 });
    expect(outcome).toMatchObject({ kind: 'foreign', partitions: [{ number: 2 }] });
  });
});

test('what is planned lies behind the shrunk file system, on the disk, and does not overlap', () => {
  const disk = fc.record({
    start: fc.integer({ min: 1, max: 200 }).map((n) => n * MiB),
    size: fc.integer({ min: 1000, max: 40_000 }).map((n) => n * MiB + 512 * (n % 7)),
    least: fc.integer({ min: 1, max: 8000 }).map((n) => n * MiB + 4096 * (n % 5)),
    payload: fc.integer({ min: 0, max: 600 }).map((n) => n * MiB),
    behind: fc.integer({ min: 0, max: 3000 }).map((n) => n * MiB),
  });
  const outcomes = new Map<string, number>();
  fc.assert(
    fc.property(disk, ({ start, size, least, payload, behind }) => {
      const swap = { number: 5, start: start + size, size: behind, type: '0x82' };
      const root = { number: 1, start, size, type: '0x83' };
      const table = {
        ...{ kind: 'mbr' as const, grubInFirstSector: true },
        partitions: behind > 0 ? [root, swap] : [root],
      };
      const diskSize = start + size + behind + 2 * MiB;
      const outcome = planDisk({ diskSize, table, root: 1, least, payload, layout });
      outcomes.set(outcome.kind, (outcomes.get(outcome.kind) ?? 0) + 1);
      if (outcome.kind === 'too-small') {
        expect(outcome.needed > outcome.room || least + payload > size).toBe(true);
        return;
      }
      if (outcome.kind !== 'fits') throw new Error(outcome.kind);
      const { shrunk, partitions } = outcome.plan;
      expect(shrunk.size).toBeGreaterThanOrEqual(least + payload);
      expect(shrunk.size).toBeLessThanOrEqual(size);
      let end = shrunk.start + shrunk.size;
      for (const one of partitions) {
        expect(one.start).toBeGreaterThanOrEqual(end);
        expect(one.start % MiB).toBe(0);
        end = one.start + one.size;
      }
      expect(end).toBeLessThanOrEqual(diskSize - 33 * 512);
      expect(new Set([1, ...partitions.map(({ number }) => number)]).size).toBe(8);
    }),
    { seed: 6, numRuns: 2000 },
  );
  expect([...outcomes.keys()].sort()).toEqual(['fits', 'too-small']);
});

test('a table that leads in a circle, outside, or is none, is an error', async () => {
  const sector = Buffer.alloc(512);
  sector.writeUInt16LE(0xaa55, 510);
  const entry = (index: number, type: number, start: number, size: number, at = sector) => {
    at.writeUInt8(type, 446 + index * 16 + 4);
    at.writeUInt32LE(start, 446 + index * 16 + 8);
    at.writeUInt32LE(size, 446 + index * 16 + 12);
  };
  const read = (bytes: Buffer) => readPartitionTable(bytesReader(bytes), 'disk');
  await expect(read(Buffer.alloc(4096))).rejects.toMatchObject({ code: 'CORRUPT_PARTITION_TABLE' });
  entry(0, 0x83, 1, 1_000_000);
  await expect(read(Buffer.concat([sector, Buffer.alloc(4096)]))).rejects.toMatchObject({
    code: 'CORRUPT_PARTITION_TABLE',
  });
  entry(0, 0x05, 1, 4);
  const circle = Buffer.alloc(512);
  circle.writeUInt16LE(0xaa55, 510);
  entry(0, 0x83, 1, 1, circle);
  entry(1, 0x05, 0, 4, circle);
  const bytes = Buffer.concat([sector, circle, Buffer.alloc(4096)]);
  await expect(read(bytes)).rejects.toMatchObject({ code: 'CORRUPT_PARTITION_TABLE' });
});
