import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkFits, veritySize } from '../../../src/build/bootable/fit.ts';
import { codeOf } from '../../support/code-of.ts';

const mebibyte = 1 << 20;
const hasVeritysetup = spawnSync('veritysetup', ['--version']).error === undefined;

describe('checkFits', () => {
  test('S10: an image fits to the last byte, and one byte more is refused, saying by how much', () => {
    const image = 300 * mebibyte;
    const slot = image + veritySize(image) + 65536;
    expect(checkFits(image, slot, 'vm.cfg').left).toBe(0);
    const error = codeOf(() => checkFits(image, slot - 1, 'vm.cfg'), 'SPACE_SLOT');
    expect(error.details.found).toContain(': 1 too many');
    expect(error.details.where).toBe('vm.cfg');
  });

  test('above three quarters there is a warning, below there is none', () => {
    expect(checkFits(370 * mebibyte, 512 * mebibyte, 'vm.cfg').warning).toBeUndefined();
    expect(checkFits(390 * mebibyte, 512 * mebibyte, 'vm.cfg').warning).toContain('76 % full');
  });
});

describe('veritySize', () => {
  test('counts the levels of the tree and the superblock', () => {
    expect(veritySize(4096)).toBe(4096);
    expect(veritySize(128 * 4096)).toBe(2 * 4096);
    expect(veritySize(129 * 4096)).toBe(4 * 4096);
  });

  test.skipIf(!hasVeritysetup)('is what veritysetup makes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'pine-verity-'));
    const path = join(folder, 'image');
    try {
      for (const blocks of [2, 128, 129, 16_384, 16_385]) {
        writeFileSync(path, '');
        truncateSync(path, blocks * 4096);
        const offset = blocks * 4096;
        const args = ['format', `--data-blocks=${blocks}`, `--hash-offset=${offset}`, path, path];
        expect(spawnSync('veritysetup', args).status).toBe(0);
        const { stdout } = spawnSync('stat', ['-c', '%s', path]);
        expect(Number(stdout) - offset).toBe(veritySize(offset));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
