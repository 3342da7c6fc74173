import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error.ts';
import { layOutImage } from '../../src/image/layout.ts';
import type { Segment } from '../../src/plan/segment.ts';
import type { DirectoryNode, FileNode, TreeNode, Xattr } from '../../src/repo/tree.ts';
import { codeOf } from '../support/code-of.ts';
import { TreeMaker } from '../support/make-tree.ts';
import { imageBuffer } from '../support/write-image.ts';

const maker = new TreeMaker();
const { directory, file, symlink } = {
  directory: maker.directory.bind(maker),
  file: maker.file.bind(maker),
  symlink: maker.symlink.bind(maker),
};
const xattr = (name: string, value = 'value'): Xattr => ({ name, value: Buffer.from(value) });

function sampleTree(): DirectoryNode {
  return directory({
    bin: directory({ sh: file('shell'.repeat(5000), { mode: 0o104755 }), ash: symlink('sh') }),
    etc: directory({
      passwd: file('root:x:0:0'),
      empty: file(''),
      labels: file('labelled', { xattrs: [xattr('user.label')], uid: 1000, gid: 5 }),
    }),
    copy: file('root:x:0:0'),
  });
}

async function digest(root: DirectoryNode, time = 1_700_000_000): Promise<string> {
  const bytes = await imageBuffer(layOutImage(root, time), maker.objects);
  return createHash('sha256').update(bytes).digest('hex');
}

const objectsOf = (segments: Iterable<Segment>): string[] =>
  [...segments].flatMap((segment) => (segment.kind === 'object' ? [segment.checksum] : []));

describe('the layout of an image', () => {
  test('is the same bytes for the same tree and time, whatever the order of its maps', async () => {
    const reversed = (node: TreeNode): TreeNode =>
      node.kind === 'directory'
        ? {
            ...node,
            entries: new Map([...node.entries].reverse().map(([k, v]) => [k, reversed(v)])),
          }
        : node;
    const tree = sampleTree();
    const other = reversed(tree);
    if (other.kind !== 'directory') throw new Error('a directory stays one');
    expect(await digest(other)).toBe(await digest(tree));
    expect(await digest(tree, 1)).not.toBe(await digest(tree, 2));
  });

  test('keeps the format: these bytes are in slots of machines in the field', async () => {
    // A change here is a new image format, with a new metadata key (docs/image-format.md).
    expect(await digest(sampleTree())).toMatchInlineSnapshot(
      `"5351b3b4bcfab7ff9a5656748705a8fb618570466379d85d3055ee30e0fd8e41"`,
    );
  });

  test('covers its size without gaps, and may be walked twice', () => {
    const { size, segments } = layOutImage(sampleTree(), 5);
    const lengths = [...segments].map(({ length }) => length);
    expect(lengths.reduce((sum, length) => sum + length)).toBe(size);
    expect(size % 4096).toBe(0);
    expect([...segments].map(({ length }) => length)).toEqual(lengths);
    expect([...segments][0]).toMatchObject({ kind: 'literal', length: 96 });
  });

  test('stores an object once, and empty files nowhere', () => {
    const tree = sampleTree();
    const found = objectsOf(layOutImage(tree, 5).segments);
    expect(new Set(found).size).toBe(found.length);
    expect(found).toHaveLength(3);
    // Data lies directory by directory, the deepest first and each sorted by name.
    const names = ['bin/sh', 'etc/labels', 'etc/passwd'].map((path) => {
      const [folder = '', name = ''] = path.split('/');
      const inside = tree.entries.get(folder);
      return inside?.kind === 'directory' ? (inside.entries.get(name) as FileNode).checksum : '';
    });
    expect(found).toEqual(names);
  });

  test('cuts its tables into literals of at most 64 KiB', () => {
    const entries = Array.from({ length: 4000 }, (_, i): [string, TreeNode] => [`n${i}`, file('')]);
    const { segments } = layOutImage(directory(Object.fromEntries(entries)), 5);
    const literals = [...segments].filter(({ kind }) => kind === 'literal');
    expect(literals.length).toBeGreaterThan(3);
    for (const { length } of literals) expect(length).toBeLessThanOrEqual(65_536);
  });
});

describe('a tree that no image can hold', () => {
  const refusals: [string, ErrorCode, () => DirectoryNode][] = [
    [
      'a POSIX ACL',
      'INPUT_POSIX_ACL',
      () => directory({ a: file('', { xattrs: [xattr('system.posix_acl_access')] }) }),
    ],
    [
      'a default ACL',
      'INPUT_POSIX_ACL',
      () => directory({}, { xattrs: [xattr('system.posix_acl_default')] }),
    ],
    [
      'an unknown namespace',
      'INPUT_XATTR',
      () => directory({ a: symlink('b', { xattrs: [xattr('btrfs.compression')] }) }),
    ],
    ['a namespace and no name', 'INPUT_XATTR', () => directory({}, { xattrs: [xattr('user.')] })],
    [
      'a long attribute',
      'INPUT_XATTR',
      () => directory({}, { xattrs: [xattr('user.a', 'x'.repeat(65_537))] }),
    ],
    [
      'too many bytes of attributes',
      'INPUT_XATTR',
      () =>
        directory(
          {},
          { xattrs: Array.from({ length: 17 }, (_, i) => xattr(`user.${i}`, 'x'.repeat(65_536))) },
        ),
    ],
    [
      'a long attribute name',
      'INPUT_XATTR',
      () => directory({}, { xattrs: [xattr(`user.${'x'.repeat(251)}`)] }),
    ],
    ['a long name', 'INPUT_FILE_NAME', () => directory({ ['ä'.repeat(129)]: file('') })],
    ['a slash in a name', 'INPUT_FILE_NAME', () => directory({ 'a/b': file('') })],
    ['an empty name', 'INPUT_FILE_NAME', () => directory({ '': file('') })],
    ['dots', 'INPUT_FILE_NAME', () => directory({ a: directory({ '..': directory() }) })],
    ['a name that is no text', 'INPUT_FILE_NAME', () => directory({ '\ud800': file('') })],
    ['a long target', 'INPUT_LINK_TARGET', () => directory({ a: symlink('x'.repeat(4096)) })],
    ['no target', 'INPUT_LINK_TARGET', () => directory({ a: symlink('') })],
    ['a huge file', 'INPUT_FILE_SIZE', () => directory({ a: file('', { size: 2 ** 38 + 1 }) })],
    ['half a byte', 'INPUT_FILE_SIZE', () => directory({ a: file('', { size: 0.5 }) })],
    ['a negative owner', 'INPUT_OWNER', () => directory({}, { uid: -1 })],
    ['a checksum that is none', 'INPUT_TREE', () => directory({ a: file('a', { checksum: 'A' }) })],
    [
      'one checksum of two sizes',
      'INPUT_TREE',
      () => {
        const one = file('one');
        return directory({ one, two: { ...one, size: 4 } });
      },
    ],
  ];

  test.each(refusals)('%s', (_, code, tree) => {
    codeOf(() => layOutImage(tree(), 5), code);
  });

  test('more than 65,535 owners; exactly as many are fine', () => {
    const tree = (owners: number): DirectoryNode => {
      const link = symlink('x');
      const entries = Array.from({ length: owners - 1 }, (_, i): [string, TreeNode] => [
        `${i}`,
        { ...link, uid: i + 1 },
      ]);
      return directory(Object.fromEntries(entries));
    };
    layOutImage(tree(65_535), 5);
    codeOf(() => layOutImage(tree(65_536), 5), 'INPUT_TOO_MANY_OWNERS');
  });

  test('directories too deep inside each other', () => {
    const deep = (levels: number): DirectoryNode => {
      let tree = directory();
      for (let level = 0; level < levels; level++) tree = directory({ d: tree });
      return tree;
    };
    layOutImage(deep(2048), 5);
    codeOf(() => layOutImage(deep(50_000), 5), 'INPUT_TREE_TOO_DEEP');
  });

  test('a tree that grows without end by naming one directory twice, again and again', () => {
    let tree = directory({ leaf: file('leaf') });
    for (let level = 0; level < 100; level++) tree = directory({ a: tree, b: tree });
    codeOf(() => layOutImage(tree, 5), 'INPUT_TREE_TOO_LARGE');
  });

  test('a time beyond 32 bits', () => {
    for (const time of [-1, 2 ** 32, 0.5, Number.NaN]) {
      codeOf(() => layOutImage(directory(), time), 'INPUT_TIME');
    }
  });
});
