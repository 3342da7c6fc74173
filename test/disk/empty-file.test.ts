import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFile } from '../../src/disk/empty-file.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';

const folder = temporaryFolder();

test('is zeros that take no room, in place of what was there unless it must be new', async () => {
  const path = join(folder, 'file');
  writeFileSync(path, 'before');
  await expect(emptyFile(path, 100, { isNew: true })).rejects.toMatchObject({ code: 'EEXIST' });
  expect(readFileSync(path, 'utf8')).toBe('before');
  await emptyFile(path, 1 << 20);
  expect(statSync(path)).toMatchObject({ size: 1 << 20, blocks: 0 });
  expect(readFileSync(path).equals(Buffer.alloc(1 << 20))).toBe(true);
});
