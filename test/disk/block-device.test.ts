import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDiskSize } from '../../src/disk/disk-size.ts';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-device-'));
const path = join(folder, 'disk.img');
beforeEach(() => writeFileSync(path, Buffer.from('0123456789abcdef')));
afterAll(() => rmSync(folder, { recursive: true }));

describe('nodeBlockDevice', () => {
  it('reads and writes a part of a file, and nothing outside it', async () => {
    const opener = nodeBlockDevice(path, { start: 4, size: 8 }, 'disk.img (root-a)');
    const device = await opener.open('write');
    expect(device.size).toBe(8);
    expect((await device.read(0, 8)).toString()).toBe('456789ab');
    await device.write(6, Buffer.from('XY'));
    await device.flush();
    await expect(device.write(7, Buffer.from('XY'))).rejects.toMatchObject({
      code: 'IO_OUTSIDE_DEVICE',
    });
    await expect(device.read(-1, 2)).rejects.toMatchObject({ code: 'IO_OUTSIDE_DEVICE' });
    await device.close();
    await opener.dropCache();
    expect(readFileSync(path, 'latin1')).toBe('0123456789XYcdef');
  });

  it('does not write through a device that was opened to read', async () => {
    const device = await nodeBlockDevice(path).open('read');
    await expect(device.write(0, Buffer.from('X'))).rejects.toThrow();
    await device.close();
    expect(readFileSync(path, 'latin1')).toBe('0123456789abcdef');
  });

  it('says when the file ends too early, is no file, or a part lies outside', async () => {
    const device = await nodeBlockDevice(path).open('read');
    await expect(device.read(10, 10)).rejects.toMatchObject({ code: 'IO_SHORT_READ' });
    await device.close();
    await expect(nodeBlockDevice('/dev/null').open('read')).rejects.toMatchObject({
      code: 'INPUT_DEVICE',
    });
    await expect(nodeBlockDevice(path, { start: 8, size: 9 }).open('read')).rejects.toMatchObject({
      code: 'IO_OUTSIDE_DEVICE',
    });
  });
});

describe('parseDiskSize', () => {
  it.each([
    ['1000000000', 1e9],
    ['1000', 512],
    ['2G', 2 * 2 ** 30],
    ['2GiB', 2 * 2 ** 30],
    ['2GB', 2e9],
    ['512M', 512 * 2 ** 20],
  ])('reads %s', (text, bytes) => expect(parseDiskSize(text)).toBe(bytes));
  it.each(['', 'G', '2 G', '-1', '2X', '1.5G', '999999999999T', '100', '2iB'])(
    'refuses %j',
    (text) =>
      expect(() => parseDiskSize(text)).toThrow(
        expect.objectContaining({ code: 'USAGE_DISK_SIZE' }),
      ),
  );
});
