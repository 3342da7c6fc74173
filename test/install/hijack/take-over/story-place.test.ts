import { expect, test } from 'vitest';
import type { PartitionTable } from '../../../../src/install/hijack/storage/partition-table.ts';
import { surveyHost } from '../../../../src/install/hijack/survey.ts';
import { findStoryPlace } from '../../../../src/install/hijack/take-over/story-place.ts';
import { recordedHost } from '../support/recorded-host.ts';

const mebibyte = 1 << 20;
const linux = '0x83';
const biosBoot = '21686148-6449-6E6F-744E-656564454649';

const place = async (partitions: PartitionTable['partitions'], bytes: Buffer) => {
  const { storage } = await surveyHost(recordedHost('debian-vps'));
  const table: PartitionTable = { kind: 'gpt', partitions, grubInFirstSector: true };
  const readBytes = async (_: string, position: number, length: number) =>
    bytes.subarray(position, position + length);
  return findStoryPlace({ readBytes }, '/dev/vda', { storage: { ...storage, table } });
};
const disk = (at: number, text: string) => {
  const bytes = Buffer.alloc(mebibyte);
  bytes.write(text, at);
  return bytes;
};
const empty = Buffer.alloc(mebibyte);
const root = { number: 1, start: mebibyte, size: 8 * mebibyte, type: linux };

test('the story is kept in front of the first partition, also behind the core of a BIOS boot partition', async () => {
  expect(await place([root], empty)).toBe(524_288);
  const core = { number: 14, start: 34 * 512, size: 2014 * 512, type: biosBoot };
  expect(await place([root, core], empty)).toBe(524_288);
  expect(await place([root], disk(524_288, 'pine-hijack 1 0123456789abcdef\n'))).toBe(524_288);
});

test('it is not kept where something is, or where a core may reach', async () => {
  expect(await place([{ ...root, start: 63 * 512 }], empty)).toBeUndefined();
  const late = { number: 14, start: 400 * 1024, size: 600 * 1024, type: biosBoot };
  expect(await place([root, late], empty)).toBeUndefined();
  expect(await place([root], disk(589_823, 'x'))).toBeUndefined();
  expect(await place([root], disk(0, 'x'))).toBe(524_288);
  expect(await place([root], Buffer.alloc(1000))).toBeUndefined();
});
