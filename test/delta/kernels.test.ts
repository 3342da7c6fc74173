import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { referencePieces } from '../../src/delta/encode/reference.ts';
import { findKernelSites, findListedSites } from '../../src/delta/pointers/kernel-sites.ts';
import { pointerClass, Sites } from '../../src/delta/pointers/sites.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from './support/image-pair.ts';
import { patchOf } from './support/patch-of.ts';
import { makeKernel } from './support/small-kernel.ts';
import { makeVmlinux } from './support/small-vmlinux.ts';

const paddings = (grown: number) =>
  Array.from({ length: 120 }, (_, index) => (index % 30 === 7 ? grown : 20));
const [before, after] = [makeVmlinux(paddings(20)), makeVmlinux(paddings(33))];

describe('a kernel, whose addresses are below 0', () => {
  test('has its pointers predicted: of all kinds', async () => {
    const { pair, patch } = await patchOf(before, after);
    const { call, absolute, pointer, selfRelative, listed } = pointerClass;
    for (const kind of [call, absolute, pointer, selfRelative, listed]) {
      expect(patch.mask & kind, `class ${kind}`).toBe(kind);
    }
    let different = 0;
    let copied = 0;
    for (const { newStart, reference } of referencePieces(pair, patch.copies, patch.mask)) {
      copied += reference.length;
      reference.forEach((byte, index) => {
        if (byte !== after[newStart + index]) different++;
      });
    }
    expect(copied).toBeGreaterThan(0.98 * after.length);
    expect(different).toBeLessThan(80);
    const apart = before.filter((byte, index) => byte !== after[index]).length;
    expect(apart).toBeGreaterThan(3000);
  });

  test.each([
    ['as it is', (bytes: Buffer) => bytes],
    ['compressed', (bytes: Buffer) => makeKernel(bytes)],
  ])('comes out right %s', async (_, pack) => {
    const [from, to] = [
      await makeImage({ vmlinuz: pack(before) }, 'a'),
      await makeImage({ vmlinuz: pack(after) }, 'b'),
    ];
    const opened = await openBytes(deltaBytes((await encodeDelta(from, to)).delta));
    const { bytes } = await applyDelta(opened, from.reader);
    expect(bytes.equals(to.bytes)).toBe(true);
  });
});

describe('what is a site in a kernel', () => {
  const base = -0x7f000000;
  const all = { from: base, to: base + 0x100000 };
  const code = [{ from: base, to: base + 0x10000 }];
  /** The words of a page at 0x80000 behind the kernel's begin. */
  function sitesOf(words: readonly number[]) {
    const page = Buffer.alloc(4096);
    words.forEach((word, index) => {
      page.writeInt32LE(word, 4 * index);
    });
    const part = { from: 0, to: 4 * words.length, address: base + 0x80000, before: 0 };
    const sites = new Sites();
    findKernelSites(page, part, { all, code }, sites);
    return Array.from({ length: sites.count }, (_, index) => ({
      word: (sites.at[index] ?? 0) / 4,
      kind: sites.kind[index],
      target: (sites.target[index] ?? 0) - base,
    }));
  }
  const { pointer, selfRelative, listed } = pointerClass;

  test('aligned addresses', () => {
    expect(sitesOf([base + 16, -1, 7, base + 16, -1, 7])).toEqual([
      { word: 0, kind: pointer, target: 16 },
    ]);
    expect(sitesOf([base + 16, 0, base - 1, -1, base + 0x100000, -1])).toEqual([]);
  });

  test('distances to code from themselves, and behind one to anything', () => {
    const toCode = -0x80000 + 0x100;
    expect(sitesOf([toCode, 0x2000, 0x2000, -0x2000])).toEqual([
      { word: 0, kind: selfRelative, target: 0x100 },
      { word: 1, kind: selfRelative, target: 0x82004 },
    ]);
    // Too near, or beyond the kernel.
    expect(sitesOf([toCode, 0xfff, toCode, -0xfff, toCode, 0x100000])).toHaveLength(3);
  });

  test('lists of symbols', () => {
    const list = [-0x2001, -0x2011, -0x2021, -0x2031, -0x2031, -0x2041];
    const found = sitesOf(list);
    expect(found).toEqual([
      { word: 2, kind: listed, target: 0x2021 },
      { word: 3, kind: listed, target: 0x2031 },
    ]);
    expect(sitesOf(list.toReversed())).toEqual([]);
    expect(sitesOf([-0x2001, -0x2004, -0x2007, -0x200a, -0x200d])).toEqual([]);
    expect(sitesOf([-1, -17, -33, -49, -65])).toEqual([]);
  });

  test('in the list behind the section headers, each address', () => {
    const page = Buffer.alloc(16);
    [0, base + 4, base - 1, base + 0xffffc].forEach((word, index) => {
      page.writeInt32LE(word, 4 * index);
    });
    const sites = new Sites();
    findListedSites(page, { from: 0, to: 16, address: 0, before: 0 }, all, sites);
    expect([...sites.at.subarray(0, sites.count)]).toEqual([4, 12]);
  });
});
