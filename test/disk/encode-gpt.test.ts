import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeGpt, gptSize } from '../../src/disk/encode-gpt.ts';
import { readPartitions } from '../../src/disk/gpt.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { missing } from '../support/requirements.ts';

const linux = '0fc63daf-8483-4772-8e79-3d69d8477de4';
const diskUuid = '8a8a8a8a-1111-2222-3333-123456789abc';
const mebibyte = 1 << 20;
const diskSize = 64 * mebibyte + 512 * 7;
const partitions = [
  { number: 1, name: 'previous', type: linux, start: mebibyte, size: 30 * mebibyte },
  { number: 5, name: 'root-a', type: linux.toUpperCase(), start: 32 * mebibyte, size: 512 },
  { number: 128, name: 'data', type: linux, start: 40 * mebibyte, size: 23 * mebibyte },
].map((one, index) => ({ ...one, uuid: `0000000${index}-aaaa-bbbb-cccc-dddddddddddd` }));

describe.skipIf(missing('disk') !== undefined)('a GPT that pine encodes', () => {
  let folder: string;
  let disk: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pine-gpt-'));
    disk = join(folder, 'disk');
    const { protective, primary, backup } = encodeGpt(diskSize, diskUuid, partitions);
    const file = openSync(disk, 'w+');
    truncateSync(disk, diskSize);
    writeSync(file, protective, 0, 64, 446);
    writeSync(file, Buffer.from([0x55, 0xaa]), 0, 2, 510);
    writeSync(file, primary, 0, primary.length, 512);
    writeSync(file, backup, 0, backup.length, diskSize - gptSize);
    closeSync(file);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is read by sfdisk, which finds nothing to say', () => {
    const said = execFileSync('/usr/sbin/sfdisk', ['--verify', disk], { encoding: 'utf8' });
    expect(said).toMatch(/No errors detected/);
    const { partitiontable } = JSON.parse(
      execFileSync('/usr/sbin/sfdisk', ['-J', disk], { encoding: 'utf8' }),
    );
    expect(partitiontable.id.toLowerCase()).toBe(diskUuid);
    expect(partitiontable.lastlba).toBe(diskSize / 512 - 34);
    expect(
      partitiontable.partitions.map((one: Record<string, string | number>) => [
        one.name,
        Number(one.start) * 512,
        Number(one.size) * 512,
        String(one.uuid).toLowerCase(),
      ]),
    ).toEqual(partitions.map(({ name, start, size, uuid }) => [name, start, size, uuid]));
  });

  test('is read by pine from either end', async () => {
    const device = await nodeBlockDevice(disk).open('write');
    const expected = partitions.map((one) => ({ ...one, type: linux }));
    expect(await readPartitions(device)).toEqual(expected);
    await device.write(512, Buffer.alloc(512));
    expect(await readPartitions(device)).toEqual(expected);
    await device.close();
  });
});

test('partitions that overlap, lie outside or share a number are refused', () => {
  const [first, ...rest] = partitions;
  if (first === undefined) throw new Error('no partition');
  const encode = (one: Partial<typeof first>) => () =>
    encodeGpt(diskSize, diskUuid, [{ ...first, ...one }, ...rest]);
  expect(encode({ size: 31 * mebibyte })).not.toThrow();
  expect(encode({ size: 31 * mebibyte + 512 })).toThrow(RangeError);
  expect(encode({ start: 33 * 512 })).toThrow(RangeError);
  expect(encode({ start: 34 * 512, size: 512 })).not.toThrow();
  expect(encode({ number: 5 })).toThrow(RangeError);
  expect(encode({ number: 129 })).toThrow(RangeError);
  expect(encode({ size: 1000 })).toThrow(RangeError);
  expect(encode({ start: diskSize - gptSize, size: 512 })).toThrow(RangeError);
  expect(encode({ uuid: 'none' })).toThrow(RangeError);
});
