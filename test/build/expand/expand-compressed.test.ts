import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import {
  expandCompressed,
  type OpenedExpansion,
} from '../../../src/build/expand/expand-compressed.ts';
import { changed } from '../../../src/build/file-content.ts';
import type { SourceTree } from '../../../src/build/source-tree.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { missing } from '../../support/requirements.ts';
import { bytesOf, contentsOf, treeWith } from './tree.ts';

const folder = temporaryFolder();
const man = '/usr/share/man';

/** What a tree holds once it is expanded, and what is said of it. */
async function expanded(tree: SourceTree) {
  const { close, ...said }: OpenedExpansion = await expandCompressed(tree, folder);
  const contents = await contentsOf(tree);
  close();
  return { contents, said };
}

describe('expandCompressed', () => {
  test('modules, manuals, info pages and documents become plain, nothing else does', async () => {
    const rest = {
      '/usr/share/doc/x/examples/site.tar.gz': gzipSync('archive'),
      '/usr/share/doc/x/initrd.cpio.gz': gzipSync('archive'),
      '/usr/share/consolefonts/a.psf.gz': gzipSync('font'),
      '/lib/modules/6.1/notes.gz': gzipSync('no module'),
      '/etc/man/man1/a.1.gz': gzipSync('elsewhere'),
      '/usr/share/man/man1/plain.1': 'plain',
    };
    const tree = treeWith({
      ...rest,
      '/lib/modules/6.1/kernel/a.ko.gz': gzipSync('module a'),
      '/usr/lib/modules/6.1/kernel/b.ko.zst': zstdCompressSync('module b'),
      '/usr/share/man/fr/man1/a.1.gz': gzipSync('manuel'),
      '/usr/share/info/a.info.gz': gzipSync('info'),
      '/usr/share/doc/a/changelog.gz': gzipSync('changes'),
    });
    const before = await contentsOf(treeWith(rest));
    const { contents, said } = await expanded(tree);
    expect(contents).toEqual({
      ...before,
      '/lib/modules/6.1/kernel/a.ko': 'module a',
      '/usr/lib/modules/6.1/kernel/b.ko': 'module b',
      '/usr/share/man/fr/man1/a.1': 'manuel',
      '/usr/share/info/a.info': 'info',
      '/usr/share/doc/a/changelog': 'changes',
    });
    expect(said).toMatchObject({ files: 5, links: 0, bytesAfter: 33, kept: [] });
  });

  test.skipIf(missing('xz') !== undefined)('xz is unpacked by the program', async () => {
    const xz = spawnSync('xz', ['-c'], { input: 'a page' }).stdout;
    const tree = treeWith({
      [`${man}/man1/a.1.xz`]: xz,
      [`${man}/man1/cut.1.xz`]: xz.subarray(0, -5),
      [`${man}/man1/none.1.xz`]: 'no xz',
    });
    const { contents, said } = await expanded(tree);
    expect(contents[`${man}/man1/a.1`]).toBe('a page');
    expect(said.kept.map(({ path, reason }) => `${path}: ${reason}`)).toEqual([
      `${man}/man1/cut.1.xz: it can't be unpacked: Unexpected end of input`,
      `${man}/man1/none.1.xz: it can't be unpacked: File format not recognized`,
    ]);
  });

  test('without the program xz, a file that needs it is an error, and so always the same', async () => {
    const path = process.env.PATH;
    process.env.PATH = '/nonexistent';
    try {
      const tree = treeWith({ [`${man}/man1/a.1.xz`]: 'packed' });
      await codeOfAsync(() => expandCompressed(tree, folder), 'PROGRAM_MISSING');
      const without = treeWith({ [`${man}/man1/a.1.gz`]: gzipSync('packed') });
      expect((await expanded(without)).said.files).toBe(1);
    } finally {
      process.env.PATH = path;
    }
  });

  test('owner, mode and attributes stay, and names of one file keep sharing it', async () => {
    const tree = treeWith({ [`${man}/man1/a.1.gz`]: gzipSync('page') });
    const node = tree.find(`${man}/man1/a.1.gz`);
    if (node?.kind !== 'file') throw new Error('it was put there');
    const xattrs = [{ name: 'user.x', value: Buffer.from('1') }];
    const own = { ...node, mode: 0o100640, uid: 7, gid: 8, xattrs };
    tree.put(`${man}/man1/a.1.gz`, own);
    tree.put(`${man}/man8/b.8.gz`, own);
    tree.put('/opt/kept.gz', own);
    const { close, ...said } = await expandCompressed(tree, folder);
    const plain = tree.find(`${man}/man1/a.1`);
    expect(plain).toMatchObject({ kind: 'file', mode: 0o100640, uid: 7, gid: 8, xattrs });
    expect(tree.find(`${man}/man8/b.8`)).toBe(plain);
    expect(tree.find('/opt/kept.gz')).toBe(own);
    expect(said).toMatchObject({ files: 2, bytesBefore: node.content.size, bytesAfter: 4 });
    close();
  });

  test('links to manuals follow, by way of folders, other links and alternatives', async () => {
    const { contents, said } = await expanded(
      treeWith({
        [`${man}/man1/vim.1.gz`]: gzipSync('vim'),
        [`${man}/man1/vi.1.gz`]: '-> vim.1.gz',
        [`${man}/man1/a-view.1.gz`]: '-> vi.1.gz',
        [`${man}/man1/editor.1.gz`]: '-> /etc/alternatives/editor.1.gz',
        [`${man}/man1/odd.1.gz`]: '-> /etc/alternatives/odd',
        [`${man}/de/man1/vim.1.gz`]: '-> ../../man1/vim.1.gz',
        [`${man}/man1/plain`]: '-> vim.1.gz',
        [`${man}/man1/gone.1.gz`]: '-> nothing.1.gz',
        [`${man}/man1/loop.1.gz`]: '-> loop.1.gz',
        '/etc/alternatives/editor.1.gz': `-> ${man}/man1/vim.1.gz`,
        '/etc/alternatives/odd': `-> ${man}/man1/vim.1.gz`,
        '/usr/share/doc/a/manual.gz': '-> ../../vim/../man/man1/vim.1.gz',
        '/usr/share/doc/b': '-> a',
        '/usr/share/doc/c/manual.gz': '-> ../b/manual.gz',
        '/usr/share/vim/x': 'there',
      }),
    );
    expect(contents).toEqual({
      [`${man}/man1/vim.1`]: 'vim',
      [`${man}/man1/vi.1`]: '-> vim.1',
      [`${man}/man1/a-view.1`]: '-> vi.1',
      [`${man}/man1/editor.1`]: '-> /etc/alternatives/editor.1.gz',
      [`${man}/man1/odd.1`]: '-> /etc/alternatives/odd',
      [`${man}/de/man1/vim.1`]: '-> ../../man1/vim.1',
      [`${man}/man1/plain`]: '-> vim.1',
      [`${man}/man1/gone.1.gz`]: '-> nothing.1.gz',
      [`${man}/man1/loop.1.gz`]: '-> loop.1.gz',
      '/etc/alternatives/editor.1.gz': `-> ${man}/man1/vim.1`,
      '/etc/alternatives/odd': `-> ${man}/man1/vim.1`,
      '/usr/share/doc/a/manual': '-> ../../vim/../man/man1/vim.1',
      '/usr/share/doc/b': '-> a',
      '/usr/share/doc/c/manual': '-> ../b/manual',
      '/usr/share/vim/x': 'there',
    });
    expect(said).toMatchObject({ files: 1, links: 10, kept: [] });
  });

  test('manuals that stand for another one name it as it is called now', async () => {
    const { contents } = await expanded(
      treeWith({
        [`${man}/man1/bash.1.gz`]: gzipSync('bash'),
        [`${man}/man1/a.1.gz`]: gzipSync('.so man1/bash.1\n'),
        [`${man}/man1/b.1.gz`]: gzipSync('.\\" a comment\n.so man1/bash.1.gz\n'),
        [`${man}/man1/c.1`]: '.so bash.1.gz',
        [`${man}/man1/d.1`]: '.so man1/none.1.gz',
        [`${man}/de/man1/e.1`]: '.so man1/bash.1.gz',
      }),
    );
    expect(contents).toEqual({
      [`${man}/man1/bash.1`]: 'bash',
      [`${man}/man1/a.1`]: '.so man1/bash.1\n',
      [`${man}/man1/b.1`]: '.\\" a comment\n.so man1/bash.1\n',
      [`${man}/man1/c.1`]: '.so bash.1',
      [`${man}/man1/d.1`]: '.so man1/none.1.gz',
      [`${man}/de/man1/e.1`]: '.so man1/bash.1.gz',
    });
  });

  test('a name that is there is not overwritten', async () => {
    const { contents, said } = await expanded(
      treeWith({
        [`${man}/man1/a.1`]: 'the plain one',
        [`${man}/man1/a.1.gz`]: gzipSync('the packed one'),
        [`${man}/man1/b.1.gz`]: gzipSync('b'),
        [`${man}/man1/b.1.zst`]: zstdCompressSync('another b'),
        [`${man}/man1/c.1/x`]: 'in a folder',
        [`${man}/man1/c.1.gz`]: gzipSync('c'),
        [`${man}/man1/d.1`]: '-> nothing',
        [`${man}/man1/d.1.gz`]: '-> b.1.gz',
      }),
    );
    expect(contents).toMatchObject({
      [`${man}/man1/a.1`]: 'the plain one',
      [`${man}/man1/a.1.gz`]: gzipSync('the packed one').toString('latin1'),
      [`${man}/man1/b.1`]: 'b',
      [`${man}/man1/d.1`]: '-> nothing',
      [`${man}/man1/d.1.gz`]: '-> b.1',
    });
    expect(said.kept).toEqual([
      { path: `${man}/man1/a.1.gz`, reason: 'a.1 is there already' },
      { path: `${man}/man1/b.1.zst`, reason: 'b.1 is there already' },
      { path: `${man}/man1/c.1.gz`, reason: 'c.1 is there already' },
      { path: `${man}/man1/d.1.gz`, reason: 'd.1 is there already' },
    ]);
    expect(said).toMatchObject({ files: 1, links: 1 });
  });

  test('what is damaged stays as it is, and so do links to it', async () => {
    const whole = gzipSync(Buffer.alloc(100_000, 'page'));
    const wrong = Buffer.from(whole);
    wrong.writeUInt32LE(1, wrong.length - 8);
    const damaged = {
      [`${man}/man1/cut.1.gz`]: whole.subarray(0, -20),
      [`${man}/man1/empty.1.gz`]: '',
      [`${man}/man1/text.1.gz`]: 'text',
      [`${man}/man1/wrong.1.gz`]: wrong,
      [`${man}/man1/zstd.1.zst`]: whole,
      [`${man}/man1/link.1.gz`]: '-> cut.1.gz',
    };
    const { contents, said } = await expanded(
      treeWith({ ...damaged, [`${man}/man1/whole.1.gz`]: gzipSync('whole') }),
    );
    expect(contents).toEqual({
      ...(await contentsOf(treeWith(damaged))),
      [`${man}/man1/whole.1`]: 'whole',
    });
    expect(said.kept.map(({ path }) => path)).toEqual(Object.keys(damaged).slice(0, 5));
    expect(said).toMatchObject({ files: 1, links: 0, bytesAfter: 5 });
  });

  test('S9: a bomb stays packed, and what is merely well packed does not', async () => {
    const { said } = await expanded(
      treeWith({
        '/usr/share/doc/a/bomb.gz': gzipSync(Buffer.alloc(32 << 20)),
        '/usr/share/doc/a/bomb.zst': zstdCompressSync(Buffer.alloc(32 << 20)),
        '/usr/share/doc/a/small.gz': gzipSync(Buffer.alloc(1 << 20)),
      }),
    );
    expect(said.files).toBe(1);
    expect(said.kept.map(({ reason }) => reason.replace(/\d+/, 'N'))).toEqual([
      'it becomes larger than N bytes',
      'it becomes larger than N bytes',
    ]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('a file that changes meanwhile ends it', async () => {
    const tree = treeWith({ [`${man}/man1/a.1.gz`]: '' });
    const open = () => {
      throw changed('a.1.gz', 'it is gone');
    };
    tree.putFile(`${man}/man1/a.1.gz`, { size: 9, open }, { mode: 0o644 });
    await codeOfAsync(() => expandCompressed(tree, folder), 'INPUT_FILE_CHANGED');
  });

  test('contents can be read again and again, and do not hang on the order of names', async () => {
    const entries = { a: 'first', b: 'second', c: 'third' };
    const packed = Object.entries(entries).map(
      ([name, text]) => [`${man}/man1/${name}.1.gz`, gzipSync(text)] as const,
    );
    const [one, other] = [packed, packed.toReversed()].map((each) =>
      treeWith(Object.fromEntries(each)),
    );
    if (one === undefined || other === undefined) throw new Error('there are two');
    const open = [await expandCompressed(one, folder), await expandCompressed(other, folder)];
    expect(await contentsOf(one)).toEqual(await contentsOf(other));
    expect(open[0]).toMatchObject({ ...open[1], close: expect.any(Function) });
    const node = one.find(`${man}/man1/b.1`);
    if (node?.kind !== 'file') throw new Error('it was expanded');
    for (let time = 0; time < 2; time += 1) expect((await bytesOf(node)).toString()).toBe('second');
    for (const each of open) each.close();
  });
});
