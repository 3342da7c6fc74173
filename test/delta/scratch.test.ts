import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { scratchFile } from '../../src/delta/recompress/scratch.ts';
import { nodeFileSystem } from '../../src/ports/node-file-system.ts';
import { codeOf } from './support/image-pair.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-scratch-'));
  path = join(folder, 'scratch');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Bytes that tell where they are. */
function bytesOf(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * 31) ^ (index >> 8)));
}

describe('a scratch', () => {
  test.each([1, 5000, 65_536, 65_537, 262_144, 262_145, 700_000])(
    'of %i bytes gives back what was added',
    async (length) => {
      const scratch = scratchFile(nodeFileSystem, path);
      const bytes = bytesOf(length);
      for (const begin of [0, 1]) {
        await scratch.clear();
        const content = bytes.subarray(begin);
        for (let at = 0; at < content.length; at += 70_001) {
          await scratch.add(content.subarray(at, at + 70_001));
        }
        await scratch.finish();
        // No disk is asked for what is short.
        expect(existsSync(path)).toBe(content.length > 65_536);
        if (existsSync(path)) expect(statSync(path).size).toBe(content.length);
        for (const at of [0, content.length >> 1]) {
          const size = Math.min(4096, content.length - at);
          const expected = content.subarray(at, at + size);
          expect((await scratch.read(at, size)).equals(expected)).toBe(true);
          expect((await scratch.read(at, size, Buffer.alloc(4096))).equals(expected)).toBe(true);
        }
        expect(await codeOf(scratch.read(content.length, 1))).toBe('CORRUPT_DELTA');
      }
      await scratch.clear();
      expect(existsSync(path)).toBe(false);
    },
  );

  test('that is to keep nothing in memory is a file, however short', async () => {
    const scratch = scratchFile(nodeFileSystem, path, 0);
    await scratch.add(bytesOf(10));
    await scratch.finish();
    expect(statSync(path).size).toBe(10);
    expect((await scratch.read(2, 8)).equals(bytesOf(10).subarray(2))).toBe(true);
  });

  test('takes away what a run that was cut has left', async () => {
    writeFileSync(path, 'old');
    const scratch = scratchFile(nodeFileSystem, path);
    await scratch.clear();
    expect(existsSync(path)).toBe(false);
  });
});
