import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { withTemporaryFile } from '../../src/disk/temporary-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-temporary-'));
const path = join(folder, 'image');
afterAll(() => rmSync(folder, { recursive: true }));

describe('withTemporaryFile', () => {
  it('has zeros, then what was written, and is gone afterwards', async () => {
    writeFileSync(path, 'what a kill left over');
    const result = await withTemporaryFile(path, 8, async (file) => {
      expect(file.size).toBe(8);
      await file.write(2, Buffer.from('ab'));
      await file.flush();
      const into = Buffer.alloc(8, 1);
      expect(await file.read(1, 4, into)).toEqual(Buffer.from('\0ab\0'));
      expect(into.subarray(4)).toEqual(Buffer.alloc(4, 1));
      expect(await file.read(4, 4)).toEqual(Buffer.alloc(4));
      return 'done';
    });
    expect(result).toBe('done');
    expect(existsSync(path)).toBe(false);
  });

  it('says when more is read than there is, and is gone then too', async () => {
    const reading = withTemporaryFile(path, 8, (file) => file.read(4, 8));
    await expect(reading).rejects.toMatchObject({
      code: 'IO_SHORT_READ',
      details: { expected: '8 bytes at 4', found: '4 bytes', where: path },
    });
    expect(existsSync(path)).toBe(false);
  });
});
