import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { type CpioEntry, encodeCpio } from '../../../src/build/initramfs/cpio.ts';

const hasCpio = spawnSync('cpio', ['--version']).error === undefined;

const entries: readonly CpioEntry[] = [
  { kind: 'file', path: 'init', permissions: 0o755, content: Buffer.from('#!/bin/sh\n') },
  { kind: 'symlink', path: 'bin/sh', target: 'busybox' },
  { kind: 'file', path: 'bin/busybox', permissions: 0o755, content: Buffer.alloc(1001, 7) },
  { kind: 'character-device', path: 'dev/console', permissions: 0o600, major: 5, minor: 1 },
  { kind: 'file', path: 'bin-empty', permissions: 0o644, content: new Uint8Array() },
];

describe('encodeCpio', () => {
  test.skipIf(!hasCpio)('cpio lists what was put in, with folders that were implied', () => {
    const { stdout } = spawnSync('cpio', ['-t', '-v', '--quiet', '-n'], {
      input: encodeCpio(entries),
      env: { ...process.env, TZ: 'UTC' },
    });
    expect(stdout.toString().replaceAll(/ +/g, ' ').trim().split('\n')).toEqual([
      'drwxr-xr-x 2 0 0 0 Jan 1 1970 bin',
      '-rw-r--r-- 1 0 0 0 Jan 1 1970 bin-empty',
      '-rwxr-xr-x 1 0 0 1001 Jan 1 1970 bin/busybox',
      'lrwxrwxrwx 1 0 0 7 Jan 1 1970 bin/sh -> busybox',
      'drwxr-xr-x 2 0 0 0 Jan 1 1970 dev',
      'crw------- 1 0 0 5, 1 Jan 1 1970 dev/console',
      '-rwxr-xr-x 1 0 0 10 Jan 1 1970 init',
    ]);
  });

  test('the order of the entries does not matter, and content starts at multiples of four', () => {
    const bytes = encodeCpio(entries);
    expect(encodeCpio([...entries].reverse()).equals(bytes)).toBe(true);
    expect(bytes.length % 4).toBe(0);
    expect(bytes.indexOf('#!/bin/sh') % 4).toBe(0);
    // c_ino of the first record is 1, c_mtime is 0 (offsets: buffer-format.rst)
    expect(bytes.toString('latin1', 6, 14)).toBe('00000001');
    expect(bytes.toString('latin1', 46, 54)).toBe('00000000');
  });

  test('a path that is there twice is a defect of the caller', () => {
    const [first] = entries;
    if (first === undefined) throw new Error('no entry');
    expect(() => encodeCpio([first, first])).toThrow(RangeError);
  });
});
