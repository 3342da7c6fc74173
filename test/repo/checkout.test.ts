import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { type CheckoutOptions, checkOut } from '../../src/repo/checkout.ts';
import type { Repository } from '../../src/repo/repository.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';
import { describeDirectory } from '../support/scan-directory.ts';
import { ostree } from './support/ostree.ts';
import { smallRepository, timestamp } from './support/small-commit.ts';
import { temporaryFolder } from './support/temporary-folder.ts';

const folder = temporaryFolder();
let repository: Repository;
let commit = '';
let made = 0;

beforeAll(async () => {
  ({ repository, commit } = await smallRepository(join(folder, 'repo')));
});

/** Like an administrator's folder: a file that is in the way, one that is not, a folder with its own mode. */
function usedFolder(name: string): string {
  made += 1;
  const path = join(folder, `${name}-${made}`);
  mkdirSync(join(path, 'etc'), { recursive: true });
  writeFileSync(join(path, 'etc/motd'), 'other');
  writeFileSync(join(path, 'etc/kept'), 'kept');
  chmodSync(join(path, 'etc'), 0o711);
  return path;
}

const out = (target: string, options: CheckoutOptions) =>
  checkOut(repository, commit, target, { userMode: process.getuid?.() !== 0, ...options });
const everything = (path: string) =>
  execFileSync('find', [path, '-mindepth', '1', '-printf', '%P\n'], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .sort();

describe('--union', () => {
  test('joins folders, replaces files and links, leaves the rest', async () => {
    const target = usedFolder('union');
    symlinkSync('nowhere', join(target, 'bin'));
    await out(target, { union: true });
    expect(everything(target)).toEqual(
      ['bin', 'etc', 'etc/kept', 'etc/motd', 'usr', 'usr/bin', 'usr/bin/tool'].sort(),
    );
    expect(readFileSync(join(target, 'etc/motd'), 'utf8')).toBe('hello');
    expect(readlinkSync(join(target, 'bin'))).toBe('usr/bin');
    expect(lstatSync(join(target, 'etc')).mode & 0o7777).toBe(0o711);
    expect(lstatSync(join(target, 'usr/bin/tool')).mode & 0o7777).toBe(0o4755);
    expect(lstatSync(join(target, 'etc/motd')).mtimeMs).toBe(timestamp * 1000);
  });

  test.each<[string, (target: string) => void]>([
    ['a file in place of a folder', (target) => writeFileSync(join(target, 'usr'), '')],
    ['a link in place of a folder', (target) => symlinkSync('/', join(target, 'usr'))],
    ['a folder in place of a link', (target) => mkdirSync(join(target, 'bin'))],
    [
      'a folder in place of a file',
      (target) => {
        rmSync(join(target, 'etc/motd'));
        mkdirSync(join(target, 'etc/motd'));
      },
    ],
  ])('%s: refused, and nothing is written', async (_, change) => {
    const target = usedFolder('conflict');
    change(target);
    const before = everything(target);
    await codeOfAsync(() => out(target, { union: true }), 'STATE_CHECKOUT_CONFLICT');
    expect(everything(target)).toEqual(before);
  });

  test('a failure leaves the folder as it was', async () => {
    const target = usedFolder('failed');
    const damaged = await smallRepository(join(folder, 'damaged'));
    const tool = largestObject(damaged.repository);
    writeFileSync(tool, readFileSync(tool).subarray(0, -20));
    const before = everything(target);
    const attempt = () => checkOut(damaged.repository, damaged.commit, target, { union: true });
    await codeOfAsync(attempt, 'CORRUPT_OBJECT');
    expect(everything(target)).toEqual(before);
    expect(readFileSync(join(target, 'etc/motd'), 'utf8')).toBe('other');
  });

  test('stopped, at its beginning or later, it leaves the folder as it was', async () => {
    const target = usedFolder('stopped');
    const before = everything(target);
    const controller = new AbortController();
    const progress = () => controller.abort();
    for (const options of [{ stop: AbortSignal.abort() }, { stop: controller.signal, progress }]) {
      await expect(out(target, { union: true, ...options })).rejects.toThrow(/aborted/);
      expect(everything(target)).toEqual(before);
    }
    const fresh = join(folder, 'stopped-fresh');
    await expect(out(fresh, { stop: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    expect(existsSync(fresh)).toBe(false);
  });

  test('not into what is no folder; without it, into a new one only', async () => {
    writeFileSync(join(folder, 'file'), '');
    symlinkSync('/', join(folder, 'link'));
    for (const name of ['file', 'link']) {
      const target = join(folder, name);
      await codeOfAsync(() => out(target, { union: true }), 'STATE_FOLDER_EXISTS');
    }
    await codeOfAsync(() => out(usedFolder('used'), {}), 'STATE_FOLDER_EXISTS');
    await out(join(folder, 'fresh'), { union: true });
    expect(existsSync(join(folder, 'fresh/etc/motd'))).toBe(true);
  });
});

/** The tool's. */
function largestObject({ path }: Repository): string {
  const objects = readdirSync(join(path, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.filez'))
    .map((name) => join(path, 'objects', name));
  return objects.toSorted((a, b) => lstatSync(b).size - lstatSync(a).size)[0] ?? '';
}

describe.skipIf(missing('ostree', 'root') !== undefined)('--subpath, as ostree does it', () => {
  test.each(['/usr', 'usr/bin', '/usr/bin/tool', '/bin', '/'])('%s', async (subpath) => {
    made += 1;
    const [ours, theirs] = [join(folder, `ours-${made}`), join(folder, `theirs-${made}`)];
    await out(ours, { subpath });
    ostree(repository.path, 'checkout', `--subpath=${subpath}`, commit, theirs);
    expect(describeDirectory(ours)).toEqual(describeDirectory(theirs));
  });

  test('a path that is not there', async () => {
    for (const subpath of ['/none', '/bin/tool', '/etc/motd/x']) {
      await codeOfAsync(() => out(join(folder, 'none'), { subpath }), 'NOT_FOUND_PATH');
    }
    expect(existsSync(join(folder, 'none'))).toBe(false);
  });

  test('with --union, as ostree does it', async () => {
    const [ours, theirs] = [usedFolder('ours'), usedFolder('theirs')];
    for (const subpath of ['/etc', '/usr/bin/tool']) {
      await out(join(ours, 'etc'), { subpath, union: true });
      ostree(
        repository.path,
        'checkout',
        '--union',
        `--subpath=${subpath}`,
        commit,
        join(theirs, 'etc'),
      );
    }
    expect(describeDirectory(ours)).toEqual(describeDirectory(theirs));
  });
});
