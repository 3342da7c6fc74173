import { describe, expect, test } from 'vitest';
import {
  findKernelSites,
  findListedSites,
} from '../../../../src/delta/pointers/kernel/kernel-sites.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { Sites } from '../../../../src/delta/pointers/sites.ts';

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
    findKernelSites(page, part, { all, codeSections: code }, sites);
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
