import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodeBlockDevice } from '../../src/disk/node-block-device.ts';
import { withTemporaryFile } from '../../src/disk/temporary-file.ts';
import { pageAlignedBuffer, pagesRoom, readPages } from '../../src/ports/page-aligned.ts';

const unit = 4096;
const content = Buffer.from(Array.from({ length: 8 * unit + 100 }, (_, at) => (at * 7) >> 5));
const places = [tmpdir(), '/dev/shm'].filter((place) => existsSync(place));
const folders = places.map((place) => mkdtempSync(join(place, 'pine-direct-')));
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

describe.each(folders)('whole pages in page-aligned memory, in %s', (folder) => {
  const path = join(folder, 'disk.img');

  it('are read as others are, from any place on', async () => {
    writeFileSync(path, content);
    const device = await nodeBlockDevice(path).open('read');
    const memory = pageAlignedBuffer(pagesRoom(3 * unit));
    for (const [position, length] of [
      [0, unit],
      [unit, 2 * unit],
      [10, 100],
      [unit - 1, 2],
      [5 * unit + 1, 3 * unit],
      [8 * unit, 100], // the file ends in the middle of a page
      [7 * unit + 5, unit + 95],
    ] as const) {
      const bytes = await readPages(device, position, length, memory);
      expect(bytes.equals(content.subarray(position, position + length))).toBe(true);
    }
    await expect(device.read(6 * unit, 3 * unit, memory)).rejects.toMatchObject({
      code: 'IO_SHORT_READ',
    });
    await device.close();
  });

  it('and others are in step, whichever was written last', async () => {
    writeFileSync(path, content);
    const device = await nodeBlockDevice(path).open('write');
    const memory = pageAlignedBuffer(2 * unit);
    for (let round = 1; round < 20; round++) {
      const position = (round % 5) * unit;
      await device.write(position, Buffer.alloc(unit, round));
      expect((await device.read(position, unit, memory)).every((byte) => byte === round)).toBe(
        true,
      );
      memory.fill(round + 100);
      await device.write(position, memory);
      const bytes = await device.read(position, 2 * unit);
      expect(bytes.every((byte) => byte === round + 100)).toBe(true);
    }
    await device.flush();
    await device.close();
    expect(readFileSync(path).length).toBe(content.length);
  });

  it('are a part’s too, wherever it begins', async () => {
    writeFileSync(path, content);
    const part = nodeBlockDevice(path, { start: 512, size: 4 * unit });
    const device = await part.open('write');
    const memory = pageAlignedBuffer(unit);
    memory.fill(9);
    await device.write(unit, memory);
    await device.close();
    const expected = Buffer.from(content);
    expected.fill(9, 512 + unit, 512 + 2 * unit);
    expect(readFileSync(path).equals(expected)).toBe(true);
  });
});

const cachedPages = (path: string): number =>
  Number(execFileSync('fincore', ['--raw', '--noheadings', '--output', 'PAGES', path]));

/** A file of so many pages that is on stable storage, and of which the page cache has nothing. */
function evictedFile(path: string): void {
  writeFileSync(path, Buffer.alloc(256 * unit, 1));
  execFileSync('sync', [path]);
  execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
}

const folder = folders[0] ?? '';
/** Not every file system that tests run on has direct I/O, and not every machine has fincore. */
function lacksDirect(): boolean {
  try {
    evictedFile(join(folder, 'probe'));
    return cachedPages(join(folder, 'probe')) > 0;
  } catch {
    return true;
  }
}

describe.skipIf(lacksDirect())('the page cache', () => {
  const path = join(folder, 'slot.img');

  it('is left alone by whole pages in page-aligned memory, read or written', async () => {
    evictedFile(path);
    const device = await nodeBlockDevice(path).open('write');
    const memory = pageAlignedBuffer(64 * unit);
    for (let at = 0; at < 256 * unit; at += memory.length) {
      await device.read(at, memory.length, memory);
      await device.write(at, memory);
    }
    expect(cachedPages(path)).toBe(0);
    await device.read(0, 100);
    expect(cachedPages(path)).toBeGreaterThan(0);
    await device.close();
  });

  it('is used by a temporary file', async () => {
    await withTemporaryFile(join(folder, 'temporary'), 64 * unit, async (file) => {
      const memory = pageAlignedBuffer(64 * unit);
      await file.write(0, memory);
      await file.read(0, memory.length, memory);
      expect(cachedPages(join(folder, 'temporary'))).toBeGreaterThan(0);
    });
  });
});
