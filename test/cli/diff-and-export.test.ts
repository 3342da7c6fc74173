import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { diffCommits } from '../../src/repo/diff-commits.ts';
import { Repository } from '../../src/repo/repository.ts';
import { makeOddTree } from '../repo/support/odd-tree.ts';
import { ostree } from '../repo/support/ostree.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { missing } from '../support/requirements.ts';
import { describeDirectory } from '../support/scan-directory.ts';
import { Pinectl } from './support/pinectl.ts';

const folder = temporaryFolder();
const repo = join(folder, 'repo');
const pinectl = new Pinectl(repo, folder);
const tree = join(folder, 'tree');
const path = (name: string) => join(tree, name);

const installed = (packages: Record<string, string>) =>
  Object.entries(packages)
    .map(([name, version]) => `C:Q1x=\nP:${name}\nV:${version}\nA:x86_64\nF:etc\n\n`)
    .join('');

describe.skipIf(missing('ostree', 'root', 'xattr') !== undefined)('diff', () => {
  const commit = (...options: string[]) =>
    pinectl.run('commit', '--ref', 'x', '--no-image', ...options, tree).trim();

  test('says what ostree says, and what was changed', () => {
    pinectl.run('init');
    mkdirSync(path('lib/apk/db'), { recursive: true });
    mkdirSync(path('same/below'), { recursive: true });
    mkdirSync(path('gone'));
    for (const name of [
      'content',
      'mode',
      'owner',
      'xattr',
      'both',
      'same/below/file',
      'gone/file',
    ]) {
      writeFileSync(path(name), `content of ${name}`);
    }
    symlinkSync('here', path('link'));
    writeFileSync(path('becomes-link'), '');
    writeFileSync(
      path('lib/apk/db/installed'),
      installed({ musl: '1.2.4', zlib: '1.3', old: '1' }),
    );
    commit();
    writeFileSync(path('content'), 'Content of content');
    chmodSync(path('mode'), 0o4711);
    chownSync(path('owner'), 1, 2);
    execFileSync('setfattr', ['-n', 'user.note', '-v', 'x', path('xattr')]);
    writeFileSync(path('both'), 'more content');
    chmodSync(path('both'), 0o600);
    rmSync(path('gone/file'));
    rmSync(path('link'));
    symlinkSync('there', path('link'));
    rmSync(path('becomes-link'));
    symlinkSync('x', path('becomes-link'));
    chmodSync(path('same'), 0o700);
    mkdirSync(path('new/deep'), { recursive: true });
    writeFileSync(path('new/deep/file'), '12345');
    writeFileSync(
      path('lib/apk/db/installed'),
      installed({ musl: '1.2.5', zlib: '1.3', fresh: '2' }),
    );
    commit();
    expect(pinectl.run('diff', 'x').trimEnd().split('\n')).toEqual([
      'M    /becomes-link  (file to symlink, mode 0644 to 0777)',
      'M    /both  (content, mode 0644 to 0600)',
      'M    /content  (content)',
      'D    /gone/file',
      'M    /lib/apk/db/installed  (content)',
      'M    /link  (target)',
      'M    /mode  (mode 0644 to 4711)',
      'A    /new',
      'A    /new/deep',
      'A    /new/deep/file',
      'M    /owner  (owner 0:0 to 1:2)',
      'M    /same  (mode 0755 to 0700)',
      'M    /xattr  (xattr)',
    ]);
    for (const names of [
      ['x^', 'x'],
      ['x', 'x'],
    ]) {
      const ours = pinectl.run('diff', ...names).replace(/ {2}\(.*\)$/gm, '');
      const stock = ostree(repo, 'diff', ...names);
      expect(ours.split('\n').sort()).toEqual(stock.split('\n').sort());
    }
    const backwards = pinectl.run('diff', 'x', 'x^');
    expect(backwards).toContain('A    /gone/file\n');
    expect(backwards).toContain('D    /new/deep/file\n');
    const lines = pinectl.run('diff', '--json', 'x').trimEnd().split('\n');
    expect(
      lines.map((line) => JSON.parse(line)).find((each) => each.path === '/xattr'),
    ).toMatchObject({
      change: 'modified',
      differences: ['xattr'],
      before: { xattrs: [], mode: '0644', kind: 'file' },
      after: { xattrs: [['user.note', '78']] },
    });
  });

  test('counts, and compares packages', () => {
    expect(pinectl.json('diff', '--stat', 'x')).toMatchObject({
      added: { paths: 3, bytes: 5 },
      deleted: { paths: 1, bytes: 20 },
      modified: { paths: 9 },
    });
    expect(pinectl.run('diff', '--packages', 'x^', 'x')).toBe(
      'A    fresh 2\nM    musl 1.2.4 to 1.2.5\nD    old 1\n',
    );
    rmSync(path('lib'), { recursive: true });
    mkdirSync(path('usr/lib/apk/db'), { recursive: true });
    symlinkSync('/usr/lib', path('lib'));
    writeFileSync(path('usr/lib/apk/db/installed'), installed({ musl: '1.2.5' }));
    commit();
    expect(pinectl.json('diff', '--packages', 'x').packages).toEqual([
      { name: 'fresh', before: '2' },
      { name: 'zlib', before: '1.3' },
    ]);
  });

  test('reads no directory that both have: the cost follows the change', async () => {
    const repository = await Repository.open(repo);
    const [before, after] = pinectl.json('rev-parse', 'x^^', 'x^').commits;
    const below = (await collect(repository, before, before)).length;
    expect(below).toBe(0);
    const { checksums } = pinectl
      .run('ls', '--json', '-d', 'x^', '/same/below')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))[0];
    const [shared = ''] = checksums;
    rmSync(repository.objectFile(shared, 'dirtree'));
    expect((await collect(repository, before, after)).length).toBe(13);
  });
});

async function collect(repository: Repository, before: string, after: string) {
  const found: string[] = [];
  for await (const { path } of diffCommits(repository, before, after)) found.push(path);
  return found;
}

describe.skipIf(missing('ostree', 'root', 'xattr') !== undefined)('export', () => {
  const odd = join(folder, 'odd');
  const tar = join(folder, 'odd.tar');

  test('writes the same tar each time, which makes the same tree', () => {
    makeOddTree(odd, 20);
    // A tar has no place for ACLs that all programs read.
    for (const name of ['with-acl', 'default-acl']) rmSync(join(odd, name), { recursive: true });
    const store = join(folder, 'odd-repo');
    const other = new Pinectl(store, folder);
    other.run('init');
    const commit = ['commit', '--ref', 'odd', '--no-image', '--timestamp=@1700000000'];
    const first = other.json(...commit, odd);
    const { sha256, size } = other.json('export', '-o', tar, 'odd');
    const bytes = readFileSync(tar);
    expect([bytes.length, bytes.equals(other.bytes(['export', 'odd']))]).toEqual([size, true]);
    expect(other.run('export', '-o', tar, first.commit)).toBe(`${sha256}  ${tar}\n`);
    const again = other.json(...commit, '--parent=none', `--tree=tar=${tar}`);
    expect(again.root).toEqual(first.root);
    expect(again.commit).toBe(first.commit);
  });

  test('GNU tar unpacks it without a difference', () => {
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked);
    const flags = ['--xattrs', '--xattrs-include=*', '--numeric-owner', '-p'];
    execFileSync('tar', ['-C', unpacked, ...flags, '-xf', tar]);
    const without = (lines: string[]) => lines.map((line) => line.replace(/ ?(user\.zero=)?$/, ''));
    expect(without(describeDirectory(unpacked))).toEqual(without(describeDirectory(odd)));
  });

  test('of a folder; what is no folder is refused', () => {
    const store = new Pinectl(join(folder, 'odd-repo'), folder);
    writeFileSync(join(folder, 'names.tar'), store.bytes(['export', '--subpath', '/many', 'odd']));
    const names = execFileSync('tar', ['-tf', join(folder, 'names.tar')], { encoding: 'utf8' });
    expect(names.split('\n').slice(0, 3)).toEqual(['./', '0', '1']);
    expect(store.fail('export', '--subpath', '/none', '-o', 'x', 'odd')).toBe('NOT_FOUND_PATH');
    expect(store.fail('export', 'odd')).toBe('USAGE_COMMAND_LINE');
  });
});
