import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { grubCanReach, grubObstacle } from '../../src/image/grub.ts';
import { layOutImage } from '../../src/image/layout.ts';
import { planFromImage } from '../../src/plan/from-image.ts';
import { encodePlan } from '../../src/plan/plan-file.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import type { DirectoryNode, TreeNode } from '../../src/repo/tree.ts';
import { TreeMaker } from '../support/make-tree.ts';
import { alpineFolder, missing } from '../support/requirements.ts';
import { describeDirectory, scanDirectory } from '../support/scan-directory.ts';
import { imageTime, writeImage } from '../support/write-image.ts';

const folder = mkdtempSync(join(tmpdir(), 'pine-image-'));
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };
const run = (program: string, ...args: string[]): Buffer =>
  execFileSync(program, args, { env, maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A tree of everything that is hard: sizes around blocks, owners, modes, attributes, names. */
function makeHardTree(root: string): void {
  mkdirSync(`${root}/empty/also empty/and this`, { recursive: true });
  mkdirSync(`${root}/sizes`);
  for (const size of [0, 1, 4095, 16383, 16384, 16385, 32768, 5 * 16384 + 7]) {
    const bytes = Buffer.alloc(size, `${size} bytes `);
    writeFileSync(`${root}/sizes/${size}`, bytes);
    writeFileSync(`${root}/sizes/${size} again`, bytes);
  }
  const holes = Buffer.alloc(10 * 16384);
  writeFileSync(`${root}/sizes/zeros`, holes);
  holes.fill('x', 5 * 16384, 5 * 16384 + 100);
  writeFileSync(`${root}/sizes/zeros around`, holes);
  mkdirSync(`${root}/modes`);
  for (const mode of [0o4755, 0o2711, 0o1777, 0o000, 0o7777]) {
    writeFileSync(`${root}/modes/${mode.toString(8)}`, `mode ${mode}`);
    chmodSync(`${root}/modes/${mode.toString(8)}`, mode);
  }
  chmodSync(`${root}/empty`, 0o1777);
  mkdirSync(`${root}/owners`);
  for (const id of [0, 1, 999, 65534, 65536, 4_000_000_000]) {
    writeFileSync(`${root}/owners/${id}`, '');
    lchownSync(`${root}/owners/${id}`, id, id === 999 ? 7 : id);
    symlinkSync(`../owners/${id}`, `${root}/owners/link ${id}`);
    lchownSync(`${root}/owners/link ${id}`, id, 3);
  }
  mkdirSync(`${root}/names`);
  for (const name of ['ä', 'Ω', '🌲', '\uFF5E', 'a\nb', ' ', '-rf', '"', '\\', 'x'.repeat(255)]) {
    writeFileSync(`${root}/names/${name}`, name);
  }
  symlinkSync('y'.repeat(4095), `${root}/names/long link`);
  mkdirSync(`${root}/many`);
  for (let index = 0; index < 10_000; index++) {
    writeFileSync(`${root}/many/entry number ${index}`, index % 100 === 0 ? `${index}` : '');
  }
  mkdirSync(`${root}${'/deep'.repeat(100)}`, { recursive: true });
  writeFileSync(`${root}${'/deep'.repeat(100)}/file`, 'down here');
}

function addXattrs(root: string): void {
  mkdirSync(`${root}/xattrs/folder`, { recursive: true });
  writeFileSync(`${root}/xattrs/file`, 'x');
  writeFileSync(`${root}/xattrs/twin`, 'x');
  writeFileSync(`${root}/xattrs/program`, '#!/bin/true');
  symlinkSync('nowhere', `${root}/xattrs/link`);
  const set = (path: string, name: string, value: string) =>
    run('setfattr', '-h', '-n', name, '-v', value, `${root}/xattrs/${path}`);
  set('program', 'security.capability', '0x0100000200040000000000000000000000000000');
  for (const path of ['file', 'twin', 'folder']) {
    set(path, 'user.comment', 'the same in several places');
    set(path, 'trusted.pine', '0x00ff00');
  }
  for (let index = 0; index < 40; index++)
    set('program', `user.number${index}`, 'v'.repeat(index * 2 + 1));
  set('link', 'trusted.link', 'a link can have one');
}

describe.skipIf(missing('squashfs', 'xattr', 'root') !== undefined)(
  'an image of hard cases',
  () => {
    const tree = join(folder, 'hard');
    const image = join(folder, 'hard.squashfs');
    let original: string[] = [];

    beforeAll(async () => {
      mkdirSync(tree);
      makeHardTree(tree);
      addXattrs(tree);
      await writeImage(scanDirectory(tree), image);
      original = describeDirectory(tree);
    });

    test('unsquashfs restores exactly the tree', () => {
      const copy = join(folder, 'hard-copy');
      run('unsquashfs', '-q', '-n', '-strict-errors', '-d', copy, image);
      expect(describeDirectory(copy)).toEqual(original);
    });

    test('the kernel mounts exactly the tree', ({ skip }) => {
      withMount(image, skip, (mounted) => {
        expect(describeDirectory(mounted)).toEqual(original);
        expect(run('stat', '-c', '%Y', `${mounted}/many`).toString().trim()).toBe(`${imageTime}`);
        // A link count of 2 and one for each directory inside: find relies on it.
        expect(run('stat', '-c', '%h', `${mounted}/xattrs`).toString().trim()).toBe('3');
      });
    });

    test('GRUB reads every file that it can name', ({ skip }) => {
      if (missing('grub') !== undefined) skip('no grub-fstest');
      for (const path of ['sizes/16384', 'sizes/16385', 'sizes/zeros around', 'xattrs/program']) {
        const read = run('grub-fstest', image, 'cat', `(loop0)/${path}`);
        expect(sha256(read), path).toBe(sha256(readFileSync(`${tree}/${path}`)));
      }
      const deep = run('grub-fstest', image, 'cat', `(loop0)${'/deep'.repeat(100)}/file`);
      expect(deep.toString()).toBe('down here');
      const listed = run('grub-fstest', image, 'ls', '(loop0)/modes').toString();
      expect(listed.trim().split(/\s+/).sort()).toEqual(readdirSync(`${tree}/modes`).sort());
    });
  },
);

describe.skipIf(missing('squashfs', 'root') !== undefined)('an image of nearly nothing', () => {
  test.each([
    ['nothing', []],
    ['empty directories', ['a', 'b/c', 'b/d']],
    ['one directory', ['a']],
  ])('%s', async (name, folders) => {
    const tree = join(folder, name);
    const image = join(folder, `${name}.squashfs`);
    mkdirSync(tree);
    for (const path of folders) mkdirSync(`${tree}/${path}`, { recursive: true });
    const { size } = await writeImage(scanDirectory(tree), image);
    expect(size).toBe(4096);
    const copy = join(folder, `${name} copy`);
    run('unsquashfs', '-q', '-n', '-strict-errors', '-d', copy, image);
    expect(describeDirectory(copy)).toEqual(describeDirectory(tree));
    withMount(
      image,
      () => undefined,
      (mounted) => {
        expect(describeDirectory(mounted)).toEqual(describeDirectory(tree));
      },
    );
    if (missing('grub') === undefined) {
      const listed = run('grub-fstest', image, 'ls', '(loop0)/').toString();
      expect(listed).toContain(folders.length > 0 ? `${folders[0]?.[0]}/` : '');
    }
  });
});

describe.skipIf(missing('alpine', 'squashfs', 'root', 'grub') !== undefined)(
  'an Alpine root',
  () => {
    const tree = join(folder, 'alpine', 'v1');
    const image = join(folder, 'alpine.squashfs');

    beforeAll(async () => {
      run(`${alpineFolder}/make-root.sh`, join(folder, 'alpine'));
      await writeImage(scanDirectory(tree), image);
    });

    test('comes out of unsquashfs, the kernel and GRUB as it went in', ({ skip }) => {
      const copy = join(folder, 'alpine-copy');
      run('unsquashfs', '-q', '-n', '-strict-errors', '-d', copy, image);
      const original = describeDirectory(tree);
      expect(original.length).toBeGreaterThan(2000);
      expect(describeDirectory(copy)).toEqual(original);
      const busybox = run('grub-fstest', image, 'cat', '(loop0)/bin/busybox');
      expect(sha256(busybox)).toBe(sha256(readFileSync(`${tree}/bin/busybox`)));
      withMount(image, skip, (mounted) => {
        expect(describeDirectory(mounted)).toEqual(original);
      });
    });

    test('gives its plan again, byte for byte, by being read', async () => {
      const layout = layOutImage(scanDirectory(tree).root, imageTime);
      const chunks: Uint8Array[] = [];
      const reader = bytesReader(readFileSync(image));
      for await (const chunk of planFromImage(reader, layout.size)) chunks.push(chunk);
      expect(sha256(Buffer.concat(chunks))).toBe(sha256(Buffer.concat([...encodePlan(layout)])));
    });

    test('is no larger than what mksquashfs makes of it without compression', () => {
      // Of the copy: the original has hard links, which a commit has not.
      const copy = join(folder, 'alpine-copy');
      const theirs = join(folder, 'theirs.squashfs');
      const options = [
        '-noI',
        '-noD',
        '-noF',
        '-noX',
        '-no-fragments',
        '-no-exports',
        '-no-xattrs',
      ];
      run('mksquashfs', copy, theirs, ...options, '-b', '16384', '-all-time', '0', '-quiet');
      const { length } = readFileSync(image);
      expect(length).toBeLessThanOrEqual(readFileSync(theirs).length);
    });
  },
);

describe.skipIf(missing('squashfs', 'root', 'grub') !== undefined)('an image beyond 4 GiB', () => {
  test('is read by the kernel, unsquashfs and GRUB, to its last file', ({ skip }) => {
    const maker = new TreeMaker();
    const size = 5 * 2 ** 30 + 3;
    const huge = maker.file('', { size, checksum: 'ab'.repeat(32) });
    const last = maker.file('behind it'.repeat(3000));
    const layout = layOutImage(maker.directory({ huge, last }), imageTime);
    const image = join(folder, 'large.squashfs');
    const file = openSync(image, 'w');
    let position = 0;
    for (const segment of layout.segments) {
      if (segment.kind === 'literal') writeSync(file, segment.bytes, 0, segment.length, position);
      // The zeros of the huge file are a hole, for a quick test.
      const content = segment.kind === 'object' ? maker.contents.get(segment.checksum) : undefined;
      if (content?.length === segment.length) writeSync(file, content, 0, content.length, position);
      position += segment.length;
    }
    ftruncateSync(file, layout.size);
    closeSync(file);
    const expected = 'behind it'.repeat(3000);
    expect(run('unsquashfs', '-cat', image, 'last').toString()).toBe(expected);
    expect(run('unsquashfs', '-lln', image).toString()).toContain(` ${size} `);
    expect(run('grub-fstest', image, 'cat', '(loop0)/last').toString()).toBe(expected);
    withMount(image, skip, (mounted) => {
      expect(readFileSync(`${mounted}/last`, 'utf8')).toBe(expected);
      expect(statSync(`${mounted}/huge`).size).toBe(size);
      expect(run('tail', '-c', '4', `${mounted}/huge`)).toEqual(Buffer.alloc(4));
    });
  });
});

describe.skipIf(missing('grub') !== undefined)('directories that GRUB cannot read whole', () => {
  // Each name takes 8 bytes and itself; a header of 12 stands before 256 names, or before each
  // metadata block of inodes.
  const makeTree = (maker: TreeMaker, names: number): DirectoryNode => {
    const empty = maker.file('');
    const entries = Array.from({ length: names }, (_, i): [string, TreeNode] => [
      `${`${i}`.padStart(5, '0')}${'n'.repeat(50)}`,
      empty,
    ]);
    const boot = maker.directory({ ...Object.fromEntries(entries), zzz: maker.file('found') });
    return maker.directory({ boot });
  };

  test('are told from those that it can, to the byte', async () => {
    const maker = new TreeMaker();
    let names = 1000;
    while (grubCanReach(makeTree(maker, names), '/boot/zzz')) names++;
    const read = async (count: number): Promise<string> => {
      const image = join(folder, `grub-${count}.squashfs`);
      const root = makeTree(maker, count);
      await writeImage({ root, objects: maker.objects }, image);
      return spawnSync('grub-fstest', [image, 'cat', '(loop0)/boot/zzz'], {
        env,
      }).stdout.toString();
    };
    expect(await read(names - 1)).toBe('found');
    expect(await read(names)).toBe('');
    expect(grubObstacle(makeTree(maker, names), '/boot/zzz')?.path).toBe('/boot');
  });

  test('are only in the way of what is in them', () => {
    const maker = new TreeMaker();
    const { entries } = makeTree(maker, 2000);
    const kernel = maker.file('kernel');
    const link = maker.symlink('kernel');
    const root = maker.directory({ large: entries.get('boot') ?? kernel, kernel, link });
    expect(grubCanReach(root, '/kernel')).toBe(true);
    expect(grubCanReach(root, '/large/zzz')).toBe(false);
    expect(grubObstacle(root, '/kernel/file')).toEqual({ path: '/kernel', reason: 'is a file' });
    expect(grubObstacle(root, '/none')).toEqual({ path: '/none', reason: 'does not exist' });
    expect(grubObstacle(root, '/link')).toEqual({ path: '/link', reason: 'is a symlink' });
  });
});

/** Mounts an image and calls back; calls `skip` where no loop device can be had. */
function withMount(
  image: string,
  skip: (reason: string) => void,
  use: (mounted: string) => void,
): void {
  const point = mkdtempSync(join(folder, 'mount-'));
  const mounted = spawnSync('mount', ['-t', 'squashfs', '-o', 'loop,ro', image, point], { env });
  if (mounted.status !== 0) {
    const reason = mounted.stderr.toString();
    // An image that the kernel refuses is a failure, a machine without loop devices is not.
    if (!/loop device|permission|not permitted|unknown filesystem/i.test(reason))
      throw new Error(reason);
    skip(`no loop mount: ${reason.trim()}`);
    return;
  }
  try {
    use(point);
  } finally {
    run('umount', point);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
