import { describe, expect, test } from 'vitest';
import { findBase, recordsOf } from '../../src/delta/encode/btf-base.ts';
import { noBase } from '../../src/delta/pointers/btf/bases.ts';
import { readBtfLayout } from '../../src/delta/pointers/btf/layout.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { basicTypes, makeBtf, type SmallType, sizesOf, unitOf } from './support/small-btf.ts';

const kernel = {
  types: [...basicTypes, ...[1, 2, 3, 4].flatMap((number) => unitOf('kernel', number, 1))],
};
const sizes = sizesOf(kernel);
const own = [1, 2, 3].flatMap((number) => unitOf('own', number, 2));

async function baseOf(types: readonly SmallType[], guess = noBase, base?: typeof kernel) {
  const bytes = makeBtf(types, base);
  const layout = await readBtfLayout(bytesReader(bytes), { offset: 0, size: bytes.length });
  if (layout === undefined) throw new Error('no types');
  expect(recordsOf(bytes, layout).length).toBe(types.length);
  return findBase(bytes, layout, guess);
}

describe('what the numbers of types go on from', () => {
  test('in a kernel is nothing, and modules go on from all that it has', async () => {
    expect(await baseOf(kernel.types)).toEqual({ base: noBase, next: sizes });
  });

  test('in a module is told by its own, whatever was guessed', async () => {
    const expected = { base: sizes, next: sizes };
    expect(await baseOf(own, noBase, kernel)).toEqual(expected);
    expect(await baseOf(own, { types: 7, names: 9999 }, kernel)).toEqual(expected);
    expect(await baseOf(own, sizes, kernel)).toEqual(expected);
  });

  test('in a module without functions or without names of its own is what was guessed', async () => {
    const pointer = { key: 'p', kind: 2, type: 'int' };
    expect((await baseOf([pointer], sizes, kernel)).base).toEqual(sizes);
  });

  test('is told although nothing has the last names', async () => {
    const bytes = makeBtf(own, kernel);
    const longer = Buffer.concat([bytes, Buffer.from('unused\0names\0')]);
    longer.writeUInt32LE(longer.readUInt32LE(20) + 13, 20);
    const layout = await readBtfLayout(bytesReader(longer), { offset: 0, size: longer.length });
    expect(layout && findBase(longer, layout, noBase).base).toEqual(sizes);
  });
});
