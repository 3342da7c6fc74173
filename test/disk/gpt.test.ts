import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deriveUuid } from '../../src/disk/derive-uuid.ts';
import { readPartitions } from '../../src/disk/gpt.ts';
import { parseLayout } from '../../src/disk/layout.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { placeLayout } from '../../src/disk/place-layout.ts';
import { writePartitionTable } from '../../src/install/partition-table.ts';
import { missing } from '../support/requirements.ts';

const size = 2e9;
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

describe.skipIf(missing('disk') !== undefined)('readPartitions, next to sfdisk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-gpt-'));
  const path = join(folder, 'disk.img');
  const layoutUrl = new URL('../../layouts/vm.cfg', import.meta.url);
  const read = async (file = path) => {
    const device = await nodeBlockDevice(file).open('read');
    return readPartitions(device, 'disk.img').finally(() => device.close());
  };

  beforeAll(async () => {
    writeFileSync(path, '');
    truncateSync(path, size);
    const layout = parseLayout(await readFile(layoutUrl, 'utf8'), 'vm.cfg');
    await writePartitionTable(path, placeLayout(layout, size), deriveUuid('test', 'disk'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('finds what sfdisk finds', async () => {
    const dump = JSON.parse(
      spawnSync('sfdisk', ['-J', path], { env, encoding: 'utf8' }).stdout,
    ).partitiontable;
    const expected = dump.partitions.map(
      (entry: Record<string, string | number>, index: number) => ({
        number: index + 1,
        name: entry.name,
        uuid: String(entry.uuid).toLowerCase(),
        type: String(entry.type).toLowerCase(),
        start: Number(entry.start) * 512,
        size: Number(entry.size) * 512,
      }),
    );
    expect(expected).toHaveLength(7);
    expect(await read()).toEqual(expected);
    expect(dump.id).toBe(deriveUuid('test', 'disk'));
  });

  it('a shipped layout means the same to sfdisk as to us', async () => {
    const other = join(folder, 'other.img');
    writeFileSync(other, '');
    truncateSync(other, size);
    const input = await readFile(layoutUrl, 'utf8');
    const run = spawnSync('sfdisk', ['-q', '--no-reread', '--no-tell-kernel', other], {
      env,
      input,
    });
    expect(run.status).toBe(0);
    const places = (list: Awaited<ReturnType<typeof read>>) =>
      list.map(({ name, type, start, size }) => ({ name, type, start, size }));
    expect(places(await read(other))).toEqual(places(await read()));
  });

  it('takes the backup when the primary table is damaged, and says when both are', async () => {
    const before = await read();
    const file = await open(path, 'r+');
    await file.write(Buffer.from([1]), 0, 1, 1024 + 60); // in the first entry
    expect(await read()).toEqual(before);
    await file.write(Buffer.alloc(512), 0, 512, 512); // the header
    expect(await read()).toEqual(before);
    await file.write(Buffer.from([7]), 0, 1, size - 512 + 40); // in the backup's header
    await file.close();
    await expect(read()).rejects.toMatchObject({
      code: 'CORRUPT_GPT',
      details: {
        found: expect.stringMatching(/no "EFI PART"; its backup: a wrong header checksum/),
      },
    });
  });

  it('refuses what is no disk', async () => {
    const small = join(folder, 'small.img');
    writeFileSync(small, 'nothing');
    await expect(read(small)).rejects.toMatchObject({ code: 'CORRUPT_GPT' });
  });
});
