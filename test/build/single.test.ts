import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { makeSingle } from '../../scripts/build/single.ts';
import { missing } from '../support/requirements.ts';

const project = resolve(import.meta.dirname, '../..');

/** A root with nothing in it but pinectl and the libraries that every Debian has (libc, libstdc++). */
let root = '';

const skipped = missing('root', 'strip');
beforeAll(async () => {
  if (skipped) return;
  root = mkdtempSync(join(tmpdir(), 'pine-single-test-'));
  await makeSingle(project, join(root, 'pinectl'));
  const libraries = execFileSync('ldd', [join(root, 'pinectl')], { encoding: 'utf8' });
  for (const [path] of libraries.matchAll(/\/[^\s)]+/g)) {
    mkdirSync(join(root, dirname(path)), { recursive: true });
    copyFileSync(path, join(root, path));
  }
}, 60_000);
afterAll(() => root !== '' && rmSync(root, { recursive: true }));

function pinectl(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(
    'setpriv',
    ['--reset-env', 'chroot', root, '/pinectl', ...args],
    { cwd: '/', encoding: 'utf8' },
  );
  return { status, stdout: stdout.trim(), stderr };
}

test.skipIf(skipped)(
  'the single executable runs where there is no Node.js, and says nothing else',
  () => {
    expect(pinectl('--version')).toMatchObject({ status: 0, stderr: '' });
    // Assets, lazy imports, and packages that are CommonJS or WebAssembly
    expect(pinectl('keys', 'generate', '-o', '/key')).toMatchObject({ status: 0, stderr: '' });
    expect(pinectl('init', '--repo', '/repo')).toMatchObject({ status: 0, stderr: '' });
    expect(pinectl('refs', '--repo', '/repo')).toEqual({ status: 0, stdout: '', stderr: '' });
    const refused = pinectl('log', '--repo', '/repo', 'web');
    expect(refused.status).toBe(9);
    expect(refused.stderr).toMatch(/^NOT_FOUND_COMMIT: /);
  },
);
