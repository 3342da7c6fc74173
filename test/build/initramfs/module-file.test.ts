import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { largestModule, unpackModule } from '../../../src/build/initramfs/module-file.ts';
import { codeOf } from '../../support/code-of.ts';

const module = Buffer.concat([Buffer.from('\x7fELF'), randomBytes(500)]);

describe('unpackModule', () => {
  test('plain, gzip and zstd give the same module', () => {
    expect(unpackModule(module, 'a.ko').equals(module)).toBe(true);
    expect(unpackModule(gzipSync(module), 'a.ko.gz').equals(module)).toBe(true);
    expect(unpackModule(zstdCompressSync(module), 'a.ko.zst').equals(module)).toBe(true);
  });

  test('xz, damage, half a file, a bomb and what is no ELF file are refused', () => {
    const bomb = gzipSync(Buffer.alloc(largestModule + 1));
    for (const [bytes, path] of [
      [module, 'a.ko.xz'],
      [gzipSync(module).subarray(0, -9), 'a.ko.gz'],
      [zstdCompressSync(module).subarray(0, -9), 'a.ko.zst'],
      [module, 'a.ko.gz'],
      [module, 'a.ko.zst'],
      [bomb, 'a.ko.gz'],
      [Buffer.from('text'), 'a.ko'],
    ] as const) {
      codeOf(() => unpackModule(bytes, path), 'INPUT_MODULE');
    }
  });
});
