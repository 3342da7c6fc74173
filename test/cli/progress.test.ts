import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ProgressState, progressLine } from '../../src/cli/progress.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { Pinectl } from './support/pinectl.ts';

const half: ProgressState = {
  done: 50_000_000,
  total: 100_000_000,
  doing: 'Storing',
  unit: 'bytes',
  seconds: 4,
};

describe('a progress line', () => {
  test.each([
    [half, 80, 'Storing [###############---------------]  50 % 50.0 MB of 100.0 MB, 4 s left'],
    [
      { ...half, done: 3, total: 12, unit: 'items', doing: 'Checking objects' } as const,
      80,
      'Checking objects [#######-----------------------]  25 % 3 of 12, 12 s left',
    ],
    [half, 40, 'Storing  50 % 50.0 MB of 100.0 MB, 4 s '],
    [{ ...half, done: 0 }, 60, 'Storing [---------------------------]   0 % 0 B of 100.0 MB'],
    [
      { ...half, done: 0, total: 0 },
      60,
      'Storing [######################] 100 % 0 B of 0 B, 0 s left',
    ],
  ] as const)('%j in %i columns', (state, columns, expected) => {
    const line = progressLine(state, columns);
    expect(line).toBe(expected);
    expect(line.length).toBeLessThan(columns);
  });
});

describe.skipIf(missing('xattr') !== undefined)('commit', () => {
  const folder = temporaryFolder();
  const tree = join(folder, 'tree');
  const pinectl = new Pinectl(join(folder, 'repo'), folder);

  test('says at its end how many objects and bytes there are, are new, and were saved', () => {
    pinectl.run('init');
    mkdirSync(join(tree, 'below'), { recursive: true });
    for (const name of ['one', 'below/two']) writeFileSync(join(tree, name), 'x'.repeat(1000));
    writeFileSync(join(tree, 'other'), 'y'.repeat(2000));
    const first = pinectl.notes('commit', '--ref', 'x', '--no-image', tree);
    expect(first).toContain('Objects: 5, 5 new (3 of 3 for folders, 2 of 2 for files)\n');
    expect(first).toContain('Bytes: 4.00 kB, 3.00 kB new, 1.00 kB (25 %) saved by deduplication\n');
    const second = pinectl.notes('commit', '--ref', 'x', '--no-image', tree);
    expect(second).toContain('Objects: 5, 0 new (0 of 3 for folders, 0 of 2 for files)\n');
    expect(second).toContain('Bytes: 4.00 kB, 0 B new, 4.00 kB (100 %) saved by deduplication\n');
  });

  test('draws a bar on a terminal, and none elsewhere', () => {
    writeFileSync(join(tree, 'large'), Buffer.alloc(3_000_000, 'some text '));
    const main = new URL('../../src/cli/main.ts', import.meta.url).pathname;
    const words = [
      process.execPath,
      main,
      'commit',
      '--repo',
      join(folder, 'repo'),
      '--ref',
      'x',
      tree,
    ];
    // script (util-linux) gives it a terminal.
    const { stdout } = spawnSync('script', ['-qec', words.join(' '), '/dev/null'], {
      encoding: 'utf8',
    });
    expect(stdout).toMatch(/Hashing \[#*-*\] +\d+ % /);
    expect(stdout).toMatch(/Storing \[#+\] 100 % 3\.00 MB of 3\.00 MB/);
    expect(pinectl.notes('commit', '--ref', 'y', tree)).not.toContain('Hashing');
  });
});
