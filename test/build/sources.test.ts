import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { commitTree } from '../../src/build/commit-tree.ts';
import { scanFolder } from '../../src/build/scan.ts';
import { walkSource } from '../../src/build/source-node.ts';
import { openSources, type TreeSource } from '../../src/build/sources/open-sources.ts';
import { Repository } from '../../src/repo/repository.ts';
import { makeOddTree } from '../repo/support/odd-tree.ts';
import { ostree, stockRepository } from '../repo/support/ostree.ts';
import { quick } from '../repo/support/quick.ts';
import { smallRepository, smallTree, timestamp } from '../repo/support/small-commit.ts';
import { temporaryFolder } from '../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { missing } from '../support/requirements.ts';
import { type Member, tarOf } from './support/tar-of.ts';

const folder = temporaryFolder();
const archive = (name: string, bytes: Buffer): TreeSource => {
  writeFileSync(join(folder, name), bytes);
  return { kind: 'tar', name: join(folder, name) };
};
const repository = await Repository.init(join(folder, 'repo'), quick);

/** What sources become: path, type and mode, owner, content or target. */
async function listing(sources: readonly TreeSource[], options = {}) {
  const { tree, close } = await openSources(repository, sources, options);
  const lines: string[] = [];
  for (const [path, node] of walkSource(tree.root)) {
    const content = node.kind === 'file' ? await tree.readFile(path, 1 << 20) : '';
    const rest = node.kind === 'symlink' ? `-> ${node.target}` : content.toString();
    const xattrs = node.xattrs.map(
      ({ name, value }) => `${name}=${Buffer.from(value).toString('hex')}`,
    );
    const words = [path, node.mode.toString(8), `${node.uid}:${node.gid}`, rest, ...xattrs];
    lines.push(words.filter((word) => word !== '').join(' '));
  }
  close();
  return lines.sort();
}

const members = (...list: Member[]) => archive('members.tar', tarOf(list));
const code = (expected: Parameters<typeof codeOfAsync>[1], ...list: Member[]) =>
  codeOfAsync(() => openSources(repository, [members(...list)], {}), expected);

describe.skipIf(missing('ostree', 'root', 'xattr') !== undefined)('tars of real trees', () => {
  test('an odd tree through GNU tar has the checksum of its folder, packed or not', async () => {
    const source = join(folder, 'odd');
    makeOddTree(source, 50);
    // A tar with ACLs is refused; all the rest comes through.
    for (const name of ['with-acl', 'default-acl']) rmSync(join(source, name), { recursive: true });
    const root = async (sources: readonly TreeSource[]) => {
      const { tree, close } = await openSources(repository, sources, {});
      const options = { ref: 'odd', timestamp, image: false };
      const result = await commitTree(repository, tree, options).finally(close);
      return { ...result.root, ref: result.commit };
    };
    const { ref, ...scanned } = await root([{ kind: 'dir', name: source }]);
    const flags = ['--format=pax', '--xattrs', '--xattrs-include=*', '--numeric-owner'];
    const bytes = execFileSync('tar', ['-C', source, ...flags, '-cf', '-', '.'], {
      maxBuffer: 1 << 28,
    });
    for (const [name, packed] of [
      ['odd.tar', bytes],
      ['odd.tar.gz', gzipSync(bytes)],
      ['odd.tar.zst', zstdCompressSync(bytes)],
    ] as const) {
      expect(await root([archive(name, packed)])).toMatchObject(scanned);
    }
    expect(await root([{ kind: 'ref', name: ref }])).toMatchObject(scanned);
    expect(readdirSync(join(folder, 'repo/tmp'))).toEqual([]);
  });

  test('overlaid sources have the checksum that `ostree commit` gives them', async () => {
    const base = join(folder, 'base');
    const over = join(folder, 'over');
    for (const [path, text] of Object.entries({
      'base/etc/motd': 'base',
      'base/etc/only-base': '1',
      'over/etc/motd': 'over',
      'over/opt/tool': '2',
    })) {
      mkdirSync(join(folder, path, '..'), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    execFileSync('chmod', ['0700', join(over, 'etc')]);
    for (const format of ['gnu', 'ustar', 'v7', 'pax']) {
      const tar = join(folder, `over-${format}.tar`);
      execFileSync('tar', ['-C', over, `--format=${format}`, '-cf', tar, '.']);
      const stock = stockRepository(folder, `stock-${format}`);
      const trees = [`--tree=dir=${base}`, `--tree=tar=${tar}`];
      ostree(stock, 'commit', '--fsync=false', '-b', 'x', `--timestamp=@${timestamp}`, ...trees);
      const sources = [{ kind: 'dir', name: base } as const, { kind: 'tar', name: tar } as const];
      const { tree, close } = await openSources(repository, sources, {});
      const options = { ref: 'x', parent: 'none', timestamp, image: false };
      const { commit } = await commitTree(repository, tree, options).finally(close);
      expect(commit, format).toBe(ostree(stock, 'rev-parse', 'x').trim());
    }
  });

  test('GNU tar with long names and links, and with large numbers', async () => {
    const source = join(folder, 'long');
    const deep = join(source, ...Array.from({ length: 12 }, () => 'd'.repeat(60)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, 'file'), 'deep');
    execFileSync('ln', ['-s', 't'.repeat(3000), join(source, 'link')]);
    execFileSync('chown', ['-h', '4000000000:3000000', join(source, 'link')]);
    const bytes = execFileSync('tar', ['-C', source, '--format=gnu', '-cf', '-', '.']);
    const { tree, close } = await openSources(repository, [archive('long.tar', bytes)], {});
    close();
    const scan = await scanFolder(source);
    const shape = (root: typeof tree.root) =>
      [...walkSource(root)].map(([path, { mode, uid, gid }]) => [path, mode, uid, gid]).sort();
    expect(shape(tree.root)).toEqual(shape(scan.tree.root));
    expect(tree.find('/link')).toMatchObject({ target: 't'.repeat(3000), uid: 4000000000 });
  });
});

describe('what is in a tar', () => {
  test('later entries win, parents are made, links to folders are kept', async () => {
    const first = archive(
      'first.tar',
      tarOf([
        { name: './', type: '5', mode: 0o751 },
        { name: 'usr/lib/', type: '5', mode: 0o755 },
        { name: 'lib', type: '2', linkName: 'usr/lib' },
        { name: 'twice', content: 'one' },
        { name: 'twice', content: 'two', mode: 0o600, uid: 5 },
        { name: 'name', type: '1', linkName: './twice' },
        { name: 'was-file', content: 'x' },
        { name: 'was-file/', type: '5', mode: 0o700 },
      ]),
    );
    const second = archive(
      'second.tar',
      tarOf([
        { name: 'lib/', type: '5', mode: 0o777 },
        { name: 'lib/module', content: 'm' },
        { name: 'same', type: '1', linkName: 'lib/module' },
        { name: 'made/for/file', content: 'f', gid: 7 },
        { name: 'dev/null', type: '3' },
        { name: 'old-style/', type: '\0', mode: 0o711 },
      ]),
    );
    expect(await listing([first, second])).toEqual([
      '/ 40751 0:0',
      '/lib 120777 0:0 -> usr/lib',
      '/made 40755 0:0',
      '/made/for 40755 0:0',
      '/made/for/file 100644 0:7 f',
      '/name 100600 5:0 two',
      '/old-style 40711 0:0',
      '/same 100644 0:0 m',
      '/twice 100600 5:0 two',
      '/usr 40755 0:0',
      '/usr/lib 40755 0:0',
      '/usr/lib/module 100644 0:0 m',
      '/was-file 40700 0:0',
    ]);
    const owned = await listing([first], { ownerUid: 3, ownerGid: 4 });
    expect(owned.filter((line) => !line.includes(' 3:4'))).toEqual([]);
  });

  test('pax records: path, linkpath, size, owner, binary xattrs; GNU names of xattrs', async () => {
    const pax = {
      path: 'dir/\u{1f600}',
      uid: '70000',
      gid: '4294967294',
      'SCHILY.xattr.security.capability': Buffer.from('0100000200200000', 'hex'),
      'SCHILY.xattr.user.a%3Db%2525': Buffer.from([0xff, 0x0a, 0x00]),
      'SCHILY.xattr.user.empty': '',
      size: '3',
    };
    const tar = members(
      { name: 'x', content: 'abc', pax },
      { name: 'link', type: '2', linkName: 'y', pax: { linkpath: 'target' } },
    );
    expect(await listing([tar])).toEqual([
      '/ 40755 0:0',
      '/dir 40755 0:0',
      '/dir/\u{1f600} 100644 70000:4294967294 abc security.capability=0100000200200000 user.a=b%25=ff0a00',
      '/link 120777 0:0 -> target',
    ]);
  });

  test('a commit laid below a folder, owners changed', async () => {
    await smallRepository(join(folder, 'small'));
    const small = await Repository.open(join(folder, 'small'), quick);
    const sources = [{ kind: 'ref', name: 'test/small' } as const];
    const { tree, close } = await openSources(small, sources, { ownerUid: 9 });
    close();
    const own = [...walkSource(smallTree().root)].map(([path, { mode }]) => [path, mode, 9]);
    const found = [...walkSource(tree.root)].map(([path, { mode, uid }]) => [path, mode, uid]);
    expect(found.sort()).toEqual(own.sort());
  });
});

describe.skipIf(missing('root') !== undefined)('what GNU tar makes of odd things', () => {
  const source = join(folder, 'refused');
  const tar = (...args: string[]) => {
    execFileSync('tar', ['-C', source, '-cf', join(folder, 'gnu.tar'), ...args], { stdio: 'pipe' });
    return () => openSources(repository, [{ kind: 'tar', name: join(folder, 'gnu.tar') }], {});
  };

  test('sparse files in all four forms, absolute names, `..`, devices: each is refused with a code', async () => {
    mkdirSync(join(source, 'below'), { recursive: true });
    writeFileSync(join(source, 'holes'), '');
    truncateSync(join(source, 'holes'), 10_000_000);
    for (const version of ['0.0', '0.1', '1.0']) {
      const flags = ['--format=pax', `--sparse-version=${version}`];
      await codeOfAsync(tar('-S', ...flags, 'holes'), 'INPUT_TAR_ENTRY');
    }
    await codeOfAsync(tar('-S', '--format=gnu', 'holes'), 'INPUT_TAR_ENTRY');
    await codeOfAsync(tar('-P', join(source, 'below')), 'INPUT_TAR_ENTRY');
    await codeOfAsync(tar('-P', 'below/../below'), 'INPUT_TAR_ENTRY');
    for (const [type, ...numbers] of [['b', '7', '0'], ['c', '1', '3'], ['p']] as const) {
      execFileSync('mknod', [join(source, 'special'), type, ...numbers]);
      await codeOfAsync(tar('special'), 'INPUT_SPECIAL_FILE');
      rmSync(join(source, 'special'));
    }
    // Without -S the same file is one like others, and what is there twice is the later one.
    writeFileSync(join(source, 'twice'), 'one');
    const open = tar('holes', 'twice', 'twice');
    const { tree, close } = await open();
    close();
    expect(tree.find('/holes')).toMatchObject({ content: { size: 10_000_000 } });
    expect(tree.root.entries.size).toBe(2);
  });
});

describe('bad archives', () => {
  test('names that lead out of the tree are refused', async () => {
    await code('INPUT_TAR_ENTRY', { name: '/etc/passwd', content: 'x' });
    await code('INPUT_TAR_ENTRY', { name: 'a/../../etc/passwd', content: 'x' });
    await code('INPUT_TAR_ENTRY', { name: '..', type: '5' });
    await code('INPUT_TAR_ENTRY', { name: 'x'.repeat(99), pax: { path: 'y'.repeat(256) } });
    await code('INPUT_TAR_ENTRY', { name: 'x', pax: { path: 'a\0b' } });
    await code('INPUT_TAR_ENTRY', { name: '', content: 'x' });
    await code('INPUT_NAME', { name: 'x', pax: { path: Buffer.from([0xff, 0xfe]) } });
  });

  test('links out of the tree are no parents', async () => {
    for (const linkName of ['../outside', 'a/../../outside', '/nowhere', 'self']) {
      const link = { name: 'self', type: '2', linkName };
      await code('INPUT_TREE_CONFLICT', link, { name: 'self/file', content: 'x' });
    }
    await code('INPUT_TREE_CONFLICT', { name: 'f', content: '' }, { name: 'f/g', content: 'x' });
    await code('INPUT_TREE_CONFLICT', { name: 'd/f', content: '' }, { name: 'd', content: 'x' });
  });

  test('hard links lead to what came before, in the tree', async () => {
    await code('INPUT_TAR_ENTRY', { name: 'h', type: '1', linkName: 'later' }, { name: 'later' });
    await code('INPUT_TAR_ENTRY', { name: 'h', type: '1', linkName: '/etc/shadow' });
    await code('INPUT_TAR_ENTRY', { name: 'h', type: '1', linkName: '../shadow' });
    await code(
      'INPUT_TAR_ENTRY',
      { name: 'd', type: '5' },
      { name: 'h', type: '1', linkName: 'd' },
    );
  });

  test('what a commit can not hold is refused', async () => {
    await code('INPUT_TAR_ENTRY', { name: 's', type: 'S', content: 'x' });
    await code('INPUT_TAR_ENTRY', { name: 's', pax: { 'GNU.sparse.major': '1' } });
    await code('INPUT_TAR_ENTRY', { name: 'a', pax: { 'SCHILY.acl.access': 'user::rw-' } });
    await code('INPUT_TAR_ENTRY', { name: 'v', type: 'V' });
    await code('INPUT_SPECIAL_FILE', { name: 'disk', type: '4' });
    await code('INPUT_SPECIAL_FILE', { name: 'pipe', type: '6' });
    const { tree, skipped, close } = await openSources(
      repository,
      [members({ name: 'pipe', type: '6' })],
      { skipSpecial: true },
    );
    close();
    expect([skipped, tree.root.entries.size]).toEqual([['/pipe'], 0]);
  });

  test('damage is found: cut short anywhere, altered, no tar at all', async () => {
    const whole = tarOf([
      { name: 'a', content: 'x'.repeat(700) },
      { name: 'b', pax: { uid: '1' } },
    ]);
    const open = (bytes: Buffer) => () => openSources(repository, [archive('bad', bytes)], {});
    for (let length = 1; length <= whole.length - 1024; length += 101) {
      await codeOfAsync(open(whole.subarray(0, length)), 'CORRUPT_TAR');
    }
    const altered = Buffer.from(whole);
    altered[3] = 0x41;
    await codeOfAsync(open(altered), 'CORRUPT_TAR');
    await codeOfAsync(open(Buffer.alloc(2000, 'no tar ')), 'CORRUPT_TAR');
    await codeOfAsync(open(Buffer.of()), 'CORRUPT_TAR');
    const packed = gzipSync(whole);
    await codeOfAsync(open(packed.subarray(0, -5)), 'CORRUPT_COMPRESSION');
    packed.writeUInt32LE(7, packed.length - 8);
    await codeOfAsync(open(packed), 'CORRUPT_COMPRESSION');
    await codeOfAsync(open(zstdCompressSync(whole).subarray(0, -3)), 'CORRUPT_COMPRESSION');
    await codeOfAsync(open(Buffer.from('BZh91AY&SY')), 'INPUT_COMPRESSION');
    const gone: TreeSource = { kind: 'tar', name: join(folder, 'none') };
    await codeOfAsync(() => openSources(repository, [gone], {}), 'NOT_FOUND_FILE');
    expect(readdirSync(join(folder, 'repo/tmp'))).toEqual([]);
  });

  test('pax records that end in something else do not hang', async () => {
    for (const end of ['xyz', '0', '3', ' ', '0 a=b\n', '1 ']) {
      const bytes = tarOf([{ name: 'x', type: 'x', content: `9 a=bcde\n${end}` }, { name: 'f' }]);
      const open = () => openSources(repository, [archive('pax', bytes)], {});
      await codeOfAsync(open, 'CORRUPT_TAR');
    }
  });

  test('S9: many extended headers are bounded together', async () => {
    const value = 'v'.repeat(900_000);
    const headers = Array.from({ length: 20 }, (_, at) => {
      const length = value.length + 4 + 7;
      return {
        name: 'g',
        type: 'g',
        content: `${length} k${String(at).padStart(2, '0')}=${value}`
          .slice(0, length - 1)
          .concat('\n'),
      };
    });
    const bytes = gzipSync(tarOf([...headers, { name: 'f' }]));
    const open = () => openSources(repository, [archive('headers', bytes)], {});
    const error = await codeOfAsync(open, 'CORRUPT_TAR');
    expect(error.message).toContain('too long');
  });

  test('a header that announces a gigabyte of names is not read', async () => {
    const bytes = tarOf([{ name: 'x', type: 'x', size: 1 << 30 }]);
    const open = () => openSources(repository, [archive('announces', bytes)], {});
    const error = await codeOfAsync(open, 'CORRUPT_TAR');
    expect(error.message).toContain('too long');
  });
});
