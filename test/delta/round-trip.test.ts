import { describe, expect, test } from 'vitest';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { applyDelta, deltaBytes, makeImage, openBytes } from './support/image-pair.ts';
import { generator, makeElf } from './support/small-elf.ts';

function noise(length: number, seed: number): Buffer {
  const random = generator(seed);
  return Buffer.from(Array.from({ length }, () => random() & 255));
}

async function roundTrip(
  before: Record<string, string | Uint8Array>,
  after: Record<string, string | Uint8Array>,
) {
  const [from, to] = [await makeImage(before, 'a'), await makeImage(after, 'b')];
  const { delta, contributions } = await encodeDelta(from, to);
  const file = deltaBytes(delta);
  const opened = await openBytes(file);
  const { bytes, kinds } = await applyDelta(opened, from.reader);
  expect(bytes.equals(to.bytes)).toBe(true);
  return { file, kinds, contributions, header: opened.header, from, to };
}

describe('a delta makes the new image of the old one', () => {
  test('and tells both', async () => {
    const { header, from, to } = await roundTrip({ a: 'one' }, { a: 'two' });
    expect(header.from).toEqual({ commit: from.commit, image: from.image });
    expect(header.to).toEqual({ commit: to.commit, image: to.image });
  });

  test('with what is there already copied, under whatever name', async () => {
    const [one, other] = [noise(100_000, 1), noise(70_000, 2)];
    const { kinds, file } = await roundTrip(
      { first: one, second: other },
      { a: 'new', second: one, third: other },
    );
    expect(kinds.range).toBe(170_000);
    expect(file.length).toBeLessThan(1200);
  });

  test('with long streams left to zstd', async () => {
    const text = Buffer.from(noise(150_000, 7).toString('hex'));
    const { header } = await roundTrip({ a: 'one' }, { a: 'one', new: text });
    expect(header.streams.literals.compression).toBe('zstd');
    expect(header.streams.plan.compression).toBe('brotli');
    expect(header.streams.literals.size).toBeLessThan(0.6 * text.length);
  });

  test('with a changed file taken from the one of the same path', async () => {
    const old = noise(200_000, 3);
    const changed = Buffer.concat([old.subarray(0, 90_000), noise(50, 4), old.subarray(90_020)]);
    changed[150_000] = 0;
    const { file, contributions } = await roundTrip({ program: old }, { program: changed });
    expect(file.length).toBeLessThan(1200);
    expect(contributions.find(({ path }) => path === '/program')).toMatchObject({
      reference: '/program',
      size: changed.length,
    });
  });

  test('with another version number in its name, or moved to another place', async () => {
    const old = noise(50_000, 5);
    const changed = Buffer.concat([old, Buffer.from('and more')]);
    const { contributions } = await roundTrip(
      { 'lib.so.1.2': old, other: noise(50_000, 6) },
      { 'lib.so.1.3': changed },
    );
    expect(contributions.find(({ path }) => path === '/lib.so.1.3')?.reference).toBe('/lib.so.1.2');
  });

  test('with the nearest in size of several whose names differ in numbers', async () => {
    const [three, four] = [noise(50_000, 8), noise(60_000, 9)];
    const more = Buffer.from('and more');
    const { contributions } = await roundTrip(
      { 'raid3.ko': three, 'raid4.ko': four },
      { 'raid5.ko': Buffer.concat([four, more]) },
    );
    expect(contributions.find(({ path }) => path === '/raid5.ko')?.reference).toBe('/raid4.ko');
  });

  test.each([
    ['an empty file', '', 'now with content'],
    ['a file that is gone', 'content', ''],
    ['nothing but zeros', new Uint8Array(70_000), new Uint8Array(90_000)],
    ['a file shorter than a seed', 'abc', 'abd'],
    ['pieces in another order', orderOf([1, 2, 3, 4]), orderOf([4, 2, 1, 3, 1])],
  ])('%s', async (_, before, after) => {
    await roundTrip({ file: before, same: noise(9000, 7) }, { file: after, same: noise(9000, 7) });
  });

  test('with the same bytes each time', async () => {
    const before = { a: orderOf([1, 2, 3]), b: makeElf({ functions: [9, 9, 9], seed: 1 }) };
    const after = { a: orderOf([3, 1, 2]), b: makeElf({ functions: [9, 30, 9], seed: 1 }) };
    const first = await roundTrip(before, after);
    const second = await roundTrip(before, after);
    expect(first.file.equals(second.file)).toBe(true);
  });

  test('from random edits of random files', async () => {
    const random = generator(99);
    for (let round = 0; round < 40; round++) {
      const old = noise(random() % 40_000, round);
      const pieces: Buffer[] = [];
      for (let count = random() % 12; count >= 0; count--) {
        const at = random() % (old.length + 1);
        pieces.push(
          Buffer.from(old.subarray(at, at + (random() % 9000))),
          noise(random() % 40, count),
        );
      }
      await roundTrip({ f: old, g: 'same' }, { f: Buffer.concat(pieces), g: 'same' });
    }
  });
});

/** Blocks of noise, by number. */
function orderOf(blocks: readonly number[]): Buffer {
  return Buffer.concat(blocks.map((block) => noise(5000, 100 + block)));
}
