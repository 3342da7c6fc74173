import { describe, expect, test } from 'vitest';
import { PineError } from '../../src/error.ts';
import { type ImageLayout, layOutImage } from '../../src/image/layout.ts';
import { locateByte } from '../../src/image/reader/locate.ts';
import { openImage } from '../../src/image/reader/open-image.ts';
import { type ImageEntry, walkImage } from '../../src/image/reader/walk-image.ts';
import { planFromImage } from '../../src/plan/from-image.ts';
import { encodePlan } from '../../src/plan/plan-file.ts';
import { bytesReader, type PositionedReader } from '../../src/ports/positioned-reader.ts';
import {
  compareBytes,
  type DirectoryNode,
  type TreeNode,
  type Xattr,
} from '../../src/repo/tree.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { TreeMaker } from '../support/make-tree.ts';
import { imageBuffer } from '../support/write-image.ts';

const maker = new TreeMaker();
const xattr = (name: string, value: string): Xattr => ({ name, value: Buffer.from(value) });

/** A tree with everything in it that has a form of its own. */
function richTree(): DirectoryNode {
  const many = Array.from({ length: 400 }, (_, i): [string, TreeNode] => [
    `a name that is long enough ${i}`,
    i % 50 === 0
      ? maker.symlink(`../${i}`)
      : maker.file(i % 9 === 0 ? `content ${i}` : '', { uid: i % 7 }),
  ]);
  const labels = [xattr('security.capability', '\0\x01'), xattr('user.b', 'v'.repeat(3000))];
  return maker.directory(
    {
      many: maker.directory(Object.fromEntries(many)),
      empty: maker.directory({}, { mode: 0o41777 }),
      labels: maker.directory(
        {
          file: maker.file('labelled', { xattrs: labels }),
          twin: maker.file('other content', { xattrs: labels }),
          link: maker.symlink('x', { xattrs: [xattr('trusted.t', 't')] }),
          single: maker.file('x', { xattrs: [xattr('user.a', '1')], mode: 0o104755 }),
        },
        { xattrs: [xattr('user.folder', 'yes')] },
      ),
      same: maker.file('content 9', { uid: 2 }),
      large: maker.file(Buffer.alloc(100_000, 'large')),
      'Ω 🌲': maker.file('odd name', { uid: 4_000_000_000, gid: 70_000 }),
    },
    { mode: 0o40700, gid: 12 },
  );
}

/** What a walk of the image should tell of a tree. */
function describeTree(node: TreeNode, path = '/'): object[] {
  const { mode, uid, gid, xattrs, kind } = node;
  const common = { path, mode, uid, gid, xattrs, kind };
  if (node.kind === 'file') return [{ ...common, size: node.size }];
  if (node.kind === 'symlink') return [{ ...common, target: node.target }];
  const names = [...node.entries.keys()].sort(compareBytes);
  const inside = names.flatMap((name) => {
    const child = node.entries.get(name);
    return child ? describeTree(child, `${path === '/' ? '' : path}/${name}`) : [];
  });
  return [common, ...inside];
}

async function walk(reader: PositionedReader, size: number): Promise<ImageEntry[]> {
  const entries: ImageEntry[] = [];
  for await (const entry of walkImage(await openImage(reader, size))) entries.push(entry);
  return entries;
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

const tree = richTree();
const layout = layOutImage(tree, 1_700_000_000);
const bytes = await imageBuffer(layout, maker.objects);
const plan = Buffer.concat([...encodePlan(layout)]);

describe('an image read back', () => {
  test('tells of every entry what the tree said', async () => {
    const entries = await walk(bytesReader(bytes), bytes.length);
    const told = entries.map((entry) => {
      if (entry.kind !== 'file') return entry;
      const { offset: _, ...rest } = entry;
      return rest;
    });
    expect(told).toEqual(describeTree(tree));
    for (const entry of entries) {
      if (entry.kind !== 'file') continue;
      const content = bytes.subarray(entry.offset, entry.offset + entry.size);
      if (entry.path === '/large')
        expect(content.equals(Buffer.alloc(100_000, 'large'))).toBe(true);
      if (entry.path === '/Ω 🌲') expect(content.toString()).toBe('odd name');
    }
  });

  test('may be followed by anything: a slot is larger than its image', async () => {
    const slot = Buffer.concat([bytes, Buffer.alloc(70_000, 0xee)]);
    expect(await walk(bytesReader(slot), bytes.length)).toHaveLength(describeTree(tree).length);
  });

  test.each([
    ['nothing', {}],
    ['one empty file', { a: maker.file('') }],
    ['one file of a whole block', { a: maker.file(Buffer.alloc(16_384)) }],
  ])('holds a tree of %s', async (_, entries) => {
    const small = maker.directory(entries);
    const image = layOutImage(small, 7);
    const content = await imageBuffer(image, maker.objects);
    expect(await walk(bytesReader(content), image.size)).toHaveLength(describeTree(small).length);
    const again = await collect(planFromImage(bytesReader(content), image.size));
    expect(again.equals(Buffer.concat([...encodePlan(image)]))).toBe(true);
  });

  test('names what a byte belongs to', async () => {
    const image = await openImage(bytesReader(bytes), bytes.length);
    const entries = await walk(bytesReader(bytes), bytes.length);
    const large = entries.find(({ path }) => path === '/large');
    if (large?.kind !== 'file') throw new Error('there is /large');
    for (const at of [large.offset, large.offset + large.size - 1]) {
      expect(await locateByte(image, at)).toEqual({ kind: 'file', paths: ['/large'] });
    }
    const same = entries.find(({ path }) => path === '/same');
    if (same?.kind !== 'file') throw new Error('there is /same');
    const shared = ['/many/a name that is long enough 9', '/same'];
    expect(await locateByte(image, same.offset)).toEqual({ kind: 'file', paths: shared });
    const { inodeTable, directoryTable, idTable, bytesUsed } = image.superblock;
    const tables: [number, string][] = [
      [0, 'the superblock'],
      [95, 'the superblock'],
      [inodeTable, 'the inode table'],
      [directoryTable, 'the directory table'],
      [idTable, 'the id and attribute tables'],
      [bytesUsed, 'the padding'],
    ];
    for (const [at, name] of tables) {
      expect(await locateByte(image, at)).toEqual({ kind: 'table', name });
    }
  });
});

describe('a plan made from an image', () => {
  test('is byte for byte the one that was lost', async () => {
    expect((await collect(planFromImage(bytesReader(bytes), bytes.length))).equals(plan)).toBe(
      true,
    );
  });

  test('is another one when a file is damaged', async () => {
    const damaged = Buffer.from(bytes);
    damaged[200] = (damaged[200] ?? 0) ^ 1;
    const other = await collect(planFromImage(bytesReader(damaged), bytes.length));
    expect(other.equals(plan)).toBe(false);
  });
});

describe('a damaged image', () => {
  test('every wrong size is refused', async () => {
    for (const size of [0, 95, 4095, bytes.length - 4096, bytes.length - 1, bytes.length + 4096]) {
      await codeOfAsync(() => openImage(bytesReader(bytes), size), 'CORRUPT_IMAGE');
    }
    const longer = Buffer.concat([bytes, Buffer.alloc(4096)]);
    await codeOfAsync(() => openImage(bytesReader(longer), longer.length), 'CORRUPT_IMAGE');
  });

  test('of the superblock nearly no bit may change', async () => {
    for (let bit = 0; bit < 96 * 8; bit++) {
      const inTime = bit >= 64 && bit < 96;
      if (inTime) continue;
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      await codeOfAsync(() => walk(bytesReader(damaged), bytes.length), 'CORRUPT_IMAGE');
    }
  });

  test('hundreds of changes in the tables end in CORRUPT_IMAGE or in another tree', async () => {
    const start = (await openImage(bytesReader(bytes), bytes.length)).superblock.inodeTable;
    let state = 7;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let refused = 0;
    for (let round = 0; round < 250; round++) {
      const damaged = Buffer.from(bytes);
      for (let change = 0; change <= round % 3; change++) {
        const at = start + random(bytes.length - start);
        damaged[at] = [0, 255, random(256), (bytes[at] ?? 0) ^ (1 << random(8))][random(4)] ?? 0;
      }
      try {
        await walk(bytesReader(damaged), bytes.length);
        await collect(planFromImage(bytesReader(damaged), bytes.length));
      } catch (error) {
        if (!(error instanceof PineError) || error.code !== 'CORRUPT_IMAGE') throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(125);
  });

  test('an image of mksquashfs is refused, not misread', async () => {
    const other = Buffer.from(bytes);
    other.writeUInt32LE(131_072, 12);
    other.writeUInt16LE(17, 22);
    await codeOfAsync(() => openImage(bytesReader(other), other.length), 'CORRUPT_IMAGE');
  });
});

describe('large files', () => {
  test('files beyond 4 GiB, and files behind them, are where the inodes say', async () => {
    const huge = maker.file('', { size: 5 * 2 ** 30 + 3, checksum: 'ab'.repeat(32) });
    const root = maker.directory({ huge, last: maker.file('behind it') });
    const image = layOutImage(root, 5);
    const entries = await walk(virtualReader(image), image.size);
    expect(
      entries.map((entry) => (entry.kind === 'file' ? [entry.path, entry.offset, entry.size] : [])),
    ).toEqual([[], ['/huge', 96, 5 * 2 ** 30 + 3], ['/last', 96 + 5 * 2 ** 30 + 3, 9]]);
  });
});

/** Reads an image whose objects are all zeros, without having it. */
function virtualReader({ size, segments }: ImageLayout): PositionedReader {
  return {
    size,
    read: async (position, length) => {
      const result = Buffer.alloc(length);
      let start = 0;
      for (const segment of segments) {
        if (
          segment.kind === 'literal' &&
          start < position + length &&
          start + segment.length > position
        ) {
          const from = Math.max(0, position - start);
          Buffer.from(segment.bytes).copy(result, Math.max(0, start - position), from);
        }
        start += segment.length;
      }
      return result;
    },
  };
}
