import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ownPair } from '../../scripts/bench/own-pair.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-own-pair-'));
  writeFileSync(join(folder, 'program-1'), 'old');
  writeFileSync(join(folder, 'program-2'), 'new');
});
afterEach(() => rmSync(folder, { recursive: true }));

const bench = () => {
  const own = join(folder, 'bench');
  mkdirSync(own);
  return { runs: 1, folder: own, roots: () => Promise.reject(new Error('not wanted')) };
};

test('two files lie under one path in a tree each, whatever they are called', async () => {
  const pair = ownPair(join(folder, 'program-1'), join(folder, 'program-2'));
  const { old, new: updated } = await pair.trees(bench());
  if (typeof pair.bsdiff !== 'object') throw new Error('bsdiff of what?');
  const { file } = pair.bsdiff;
  expect([old, updated].map((tree) => readFileSync(join(tree, file), 'utf8'))).toEqual([
    'old',
    'new',
  ]);
});

test('two folders are trees as they are', async () => {
  const trees = ['a', 'b'].map((name) => join(folder, name));
  for (const tree of trees) mkdirSync(tree);
  const [old = '', updated = ''] = trees;
  const pair = ownPair(old, updated);
  expect(await pair.trees(bench())).toEqual({ old, new: updated });
  expect(pair.bsdiff).toBe('files');
});

test('one of each is refused, and so is one alone', () => {
  expect(() => ownPair(folder, join(folder, 'program-2'))).toThrow(TypeError);
  const main = join(import.meta.dirname, '../../scripts/bench/main.ts');
  for (const options of [
    ['--old', folder],
    ['--old', folder, '--new', join(folder, 'nothing')],
  ]) {
    const { status, stderr } = spawnSync(process.execPath, [main, 'delta', ...options]);
    expect(status).toBe(2);
    expect(String(stderr)).toContain('Usage: npm run bench');
  }
});
