import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readBtfLayout } from '../../../../src/delta/pointers/btf/layout.ts';
import { findBtfSites } from '../../../../src/delta/pointers/btf/number-sites.ts';
import { findBtfStarts } from '../../../../src/delta/pointers/btf/page-starts.ts';
import { pointerClass } from '../../../../src/delta/pointers/pointer-class.ts';
import { pageSize, Sites } from '../../../../src/delta/pointers/sites.ts';
import { bytesReader } from '../../../../src/ports/positioned-reader.ts';
import { basicTypes, makeBtf, type SmallType, unitOf } from '../../support/small-btf.ts';

/** Where in a file the numbers of types and names are, if it has types from `offset` on. */
async function sitesIn(file: Uint8Array, offset = 0, size = file.length - offset) {
  const reader = bytesReader(file);
  const layout = await readBtfLayout(reader, { offset, size });
  const starts = layout && (await findBtfStarts(reader, layout.types));
  if (layout === undefined || starts === undefined) return undefined;
  const [types, names]: [Map<number, number>, Map<number, number>] = [new Map(), new Map()];
  const { offset: begin, size: length } = layout.types;
  const sites = new Sites();
  for (let start = begin - (begin % pageSize); start < begin + length; start += pageSize) {
    const [from, to] = [Math.max(begin, start), Math.min(begin + length, start + pageSize)];
    const part = { from: from - start, to: to - start, address: 0, before: from - begin };
    const first = starts.startOf(start / pageSize);
    sites.count = 0;
    if (first !== undefined) {
      findBtfSites(file.subarray(start, start + pageSize), part, first, sites);
    }
    for (let index = 0; index < sites.count; index++) {
      const found = sites.kind[index] === pointerClass.btfType ? types : names;
      found.set(start + (sites.at[index] ?? 0), sites.target[index] ?? 0);
    }
  }
  return { layout, types, names };
}

/** One of each kind that there is. */
const all: readonly SmallType[] = [
  ...basicTypes,
  { key: 'pointer', kind: 2, type: 'long' },
  { key: 'array', kind: 3, words: [{ type: 'pointer' }, { type: 'int' }, 9] },
  {
    ...{ key: 'struct', kind: 4, name: 's', size: 8, items: 2 },
    words: [{ name: 'a' }, { type: 'long' }, 7, 0, { type: 'pointer' }, 64],
  },
  {
    key: 'union',
    kind: 5,
    name: 'u',
    size: 8,
    items: 1,
    words: [{ name: 'b' }, { type: 'int' }, 7],
  },
  {
    key: 'enum',
    kind: 6,
    name: 'e',
    size: 4,
    items: 2,
    words: [{ name: 'A' }, 7, { name: 'B' }, 7],
  },
  { key: 'forward', kind: 7, name: 'f' },
  ...[8, 9, 10, 11, 18].map((kind) => ({ key: `${kind}`, kind, name: `k${kind}`, type: 'array' })),
  { key: 'prototype', kind: 13, type: 'union', items: 1, words: [{ name: 'p' }, { type: 'enum' }] },
  { key: 'function', kind: 12, name: 'do', type: 'prototype' },
  { key: 'variable', kind: 14, name: 'v', type: 'struct', words: [7] },
  {
    key: 'section',
    kind: 15,
    name: '.data',
    size: 7,
    items: 1,
    words: [{ type: 'variable' }, 7, 7],
  },
  { key: 'float', kind: 16, name: 'double', size: 8 },
  { key: 'tag', kind: 17, name: 't', type: 'struct', words: [7] },
  { key: 'long enum', kind: 19, name: 'E', size: 8, items: 1, words: [{ name: 'C' }, 7, 7] },
];

describe('in types', () => {
  test('of every kind, the numbers of types and names are found', async () => {
    const file = makeBtf(all);
    const found = await sitesIn(file);
    const numberOf = (key: string) => 1 + all.findIndex((each) => each.key === key);
    const expected = [
      ...['long', 'pointer', 'int', 'long', 'pointer', 'int'],
      ...['array', 'array', 'array', 'array', 'array'],
      ...['union', 'enum', 'prototype', 'struct', 'variable', 'struct'],
    ];
    expect([...(found?.types.values() ?? [])]).toEqual(expected.map(numberOf));
    const names = file.toString('latin1', found?.layout.names.offset).split('\0');
    const { offset = 0 } = found?.layout.names ?? {};
    const nameAt = (at: number) =>
      file.toString('latin1', offset + at, file.indexOf(0, offset + at));
    expect([...(found?.names.values() ?? [])].map(nameAt)).toEqual(names.slice(1, -1));
  });

  test('all are found, but for what is on the border of two pages, wherever they begin', async () => {
    const members = Array.from(
      { length: 1500 },
      () => [{ name: 'm' }, { type: 'int' }, 7] as const,
    );
    const long: SmallType = {
      key: 'l',
      kind: 4,
      name: 'long one',
      items: 1500,
      words: members.flat(),
    };
    const types = [...Array.from({ length: 50 }, (_, index) => unitOf('a', index, 3)).flat(), long];
    const btf = makeBtf([...basicTypes, ...types, ...unitOf('b', 1, 1)]);
    const whole = await sitesIn(btf);
    for (const before of [0, 1, 2, 3, 4096 - 30, 4096 - 25, 4096 - 24, 5000]) {
      const file = Buffer.concat([Buffer.alloc(before, 0xee), btf, Buffer.alloc(10, 0xee)]);
      const found = await sitesIn(file, before, btf.length);
      for (const kind of ['types', 'names'] as const) {
        const expected = [...(whole?.[kind] ?? [])].map(([at, value]) => [at + before, value]);
        const within = expected.filter(([at = 0]) => at % pageSize <= pageSize - 4);
        expect([...(found?.[kind] ?? [])]).toEqual(within);
      }
    }
  });

  test('that are not what they should be, nothing is found', async () => {
    const file = makeBtf(all);
    const odd = (at: number, value: number): Buffer => {
      const other = Buffer.from(file);
      other.writeUInt32LE(value, at);
      return other;
    };
    const types = file.readUInt32LE(12);
    const wrong = [
      // The magic number, version, and sizes.
      ...[odd(0, 0x0001eb9e), odd(0, 0x0002eb9f), odd(0, 0x0101eb9f), odd(4, 23), odd(4, 4000)],
      ...[odd(8, 0xfffffff0), odd(12, 0), odd(12, types + 2000), odd(12, types - 4)],
      ...[odd(16, 0xfffffff0), odd(20, 4000)],
      // The first record: of no kind, of one that is not known, and longer than all.
      ...[odd(28, 0), odd(28, 20 << 24), odd(28, 0x0400ffff)],
      file.subarray(0, 23),
    ];
    for (const each of wrong) expect(await sitesIn(each)).toBeUndefined();
    expect(await sitesIn(file, 0, 24)).toBeUndefined();
    expect(await sitesIn(file, 4, file.length)).toBeUndefined();
  });
});

const real = '/sys/kernel/btf/vmlinux';

test.skipIf(!existsSync(real))(
  'of the kernel that runs here, all numbers lead to a type or a name',
  async () => {
    const file = readFileSync(real);
    const found = await sitesIn(file);
    const { offset = 0 } = found?.layout.names ?? {};
    const [names, types] = [found?.names ?? new Map(), found?.types ?? new Map()];
    expect([...names.values()].filter((name) => file[offset + name - 1] !== 0)).toEqual([]);
    // There are no more types than records of twelve bytes.
    const most = (found?.layout.types.size ?? 0) / 12;
    expect(types.size).toBeGreaterThan(1000);
    expect([...types.values()].filter((type) => type > most)).toEqual([]);
  },
);
