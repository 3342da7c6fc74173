import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { veritySize } from '../../src/image/slot.ts';
import { missing } from '../support/requirements.ts';

test.skipIf(missing('verity') !== undefined)('veritySize is what veritysetup makes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pine-verity-'));
  const path = join(folder, 'image');
  try {
    for (const blocks of [2, 128, 129, 16_384, 16_385]) {
      const size = blocks * 4096;
      writeFileSync(path, '');
      truncateSync(path, size);
      const args = ['format', `--data-blocks=${blocks}`, `--hash-offset=${size}`, path, path];
      expect(spawnSync('veritysetup', args).status).toBe(0);
      expect(statSync(path).size - size).toBe(veritySize(size));
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
