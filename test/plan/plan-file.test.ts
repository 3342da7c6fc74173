import { describe, expect, test } from 'vitest';
import { PineError } from '../../src/error.ts';
import { layOutImage } from '../../src/image/layout.ts';
import { encodePlan, openPlan, type Plan } from '../../src/plan/plan-file.ts';
import { summarizePlan, useRanges } from '../../src/plan/ranges.ts';
import type { Segment } from '../../src/plan/segment.ts';
import { bytesReader, type PositionedReader } from '../../src/ports/positioned-reader.ts';
import type { TreeNode } from '../../src/repo/tree.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { TreeMaker } from '../support/make-tree.ts';

const open = (bytes: Uint8Array): Promise<Plan> => openPlan(bytesReader(bytes));
const encode = (segments: Iterable<Segment>): Buffer =>
  Buffer.concat([...encodePlan({ segments })]);

async function collect(plan: Plan): Promise<Segment[]> {
  const segments: Segment[] = [];
  for await (const segment of plan.segments()) segments.push(segment);
  return segments;
}

/** A checksum that is spread as real ones are. */
function checksum(index: number): string {
  return Array.from({ length: 8 }, (_, part) =>
    (Math.imul(index * 8 + part + 1, 2654435761) >>> 0).toString(16).padStart(8, '0'),
  ).join('');
}

/** `count` objects of which each is `length(index)` long, with literals and zeros between. */
function someSegments(count: number, length = (index: number) => index + 1): Segment[] {
  const segments: Segment[] = [{ kind: 'literal', length: 5, bytes: Buffer.from('first') }];
  for (let index = 0; index < count; index++) {
    segments.push({ kind: 'object', length: length(index), checksum: checksum(index) });
    if (index % 100 === 50) segments.push({ kind: 'zeros', length: index });
    if (index % 1000 === 7) {
      segments.push({ kind: 'literal', length: 65_536, bytes: Buffer.alloc(65_536, index) });
    }
  }
  return segments;
}

describe('the file of a plan', () => {
  test.each([0, 1, 2, 1364, 1365, 1366, 5000])('keeps %i objects as they are', async (count) => {
    const segments = someSegments(count);
    const plan = await open(encode(segments));
    expect(await collect(plan)).toEqual(segments);
    expect(plan.imageSize).toBe(segments.reduce((sum, { length }) => sum + length, 0));
    expect(plan.objects).toBe(count);
    await plan.check();
  });

  test('is what docs/plan-format.md says, byte for byte', () => {
    const bytes = encode([
      { kind: 'literal', length: 3, bytes: Buffer.from('abc') },
      { kind: 'object', length: 2 ** 40, checksum: 'ff'.repeat(32) },
      { kind: 'object', length: 2, checksum: `${'0'.repeat(56)}12345678` },
      { kind: 'zeros', length: 9 },
    ]);
    expect(bytes.toString('hex').match(/.{1,96}/g)).toEqual([
      // magic, version, segments, objects, image size, literal bytes
      `${Buffer.from('PINEPLAN').toString('hex')}010000000400000002000000000000000e00000000010000${'0300000000000000'}${'0'.repeat(16)}`,
      `000000000000020003000000000000000000000000000000${'0'.repeat(48)}`,
      `03000000000003000000000000010000${'ff'.repeat(32)}`,
      `03000000000103000200000000000000${'0'.repeat(56)}12345678`,
      `05000000000101000900000000000000${'0'.repeat(64)}`,
      // index: prefix and number, twice; then the literal
      `0000000002000000ffffffff01000000616263`,
    ]);
  });

  test('comes in pieces of at most 64 KiB', () => {
    for (const piece of encodePlan({ segments: someSegments(5000) })) {
      expect(piece.length).toBeLessThanOrEqual(65_536);
    }
  });

  test('finds every object where it lies, and no others', async () => {
    const plan = await open(encode(someSegments(5000)));
    let offset = 0;
    for await (const segment of plan.segments()) {
      const { length } = segment;
      if (segment.kind === 'object') {
        expect(await plan.find(segment.checksum)).toEqual({ offset, length });
        const near = `${segment.checksum.slice(0, 63)}${segment.checksum.endsWith('0') ? 1 : 0}`;
        expect(await plan.find(near)).toBeUndefined();
      }
      offset += length;
    }
    for (const wrong of ['0'.repeat(64), 'f'.repeat(64), '', 'x'.repeat(64), checksum(5000)]) {
      expect(await plan.find(wrong)).toBeUndefined();
    }
  });

  test('finds objects whose checksums crowd together', async () => {
    const names = [
      ...Array.from({ length: 500 }, (_, i) => `00000000${i.toString(16).padStart(56, '0')}`),
      ...Array.from({ length: 500 }, (_, i) => `ffffffff${i.toString(16).padStart(56, '0')}`),
      ...Array.from(
        { length: 50 },
        (_, i) => `00000${i.toString(16).padStart(3, '0')}${'7'.repeat(56)}`,
      ),
    ];
    const plan = await open(
      encode(names.map((name): Segment => ({ kind: 'object', length: 10, checksum: name }))),
    );
    for (const [index, name] of names.entries()) {
      expect(await plan.find(name)).toEqual({ offset: 10 * index, length: 10 });
    }
  });

  test('S9: takes constant memory and few reads for a lookup in a large plan', async () => {
    const count = 50_000;
    const file = bytesReader(encode(someSegments(count)));
    let reads = 0;
    let largest = 0;
    const counting: PositionedReader = {
      size: file.size,
      read: (position, length) => {
        reads++;
        largest = Math.max(largest, length);
        return file.read(position, length);
      },
    };
    const plan = await openPlan(counting);
    for (let index = 0; index < count; index += 50) {
      expect(await plan.find(checksum(index))).toBeDefined();
    }
    expect(largest).toBeLessThanOrEqual(65_536);
    expect(reads / (count / 50)).toBeLessThan(4);
  });

  test('refuses what cannot be said: no bytes, too many bytes, ranges', () => {
    const tooLong: Segment = { kind: 'literal', length: 65_537, bytes: Buffer.alloc(65_537) };
    for (const segment of [
      tooLong,
      { kind: 'zeros', length: 0 },
      { kind: 'zeros', length: 2 ** 48 },
    ]) {
      expect(() => encode([segment as Segment])).toThrow(PineError);
    }
    expect(() => encode([{ kind: 'range', offset: 0, length: 1 }])).toThrow(TypeError);
  });
});

describe('a damaged plan', () => {
  const good = encode(someSegments(60));

  test('every cut is noticed at once', async () => {
    for (let length = 0; length < good.length; length += length < 4000 ? 1 : 997) {
      await codeOfAsync(() => open(good.subarray(0, length)), 'CORRUPT_PLAN');
    }
    await codeOfAsync(() => open(Buffer.concat([good, Buffer.alloc(1)])), 'CORRUPT_PLAN');
  });

  test('thousands of changes end in CORRUPT_PLAN, or change nothing but contents', async () => {
    const parts = 48 + 48 * (60 + 3) + 8 * 60;
    let refused = 0;
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let round = 0; round < 2500; round++) {
      const bytes = Buffer.from(good);
      for (let change = 0; change <= round % 3; change++) {
        const at = random(parts);
        bytes[at] = [0, 255, random(256), (bytes[at] ?? 0) ^ (1 << random(8))][random(4)] ?? 0;
      }
      try {
        const plan = await open(bytes);
        const segments = await collect(plan);
        const sum = segments.reduce((total, { length }) => total + length, 0);
        expect(sum).toBe(plan.imageSize);
        for (let index = 0; index < 60; index += 7) {
          const found = await plan.find(checksum(index));
          if (found) expect(found.offset + found.length).toBeLessThanOrEqual(plan.imageSize);
        }
        await plan.check();
      } catch (error) {
        if (!(error instanceof PineError) || error.code !== 'CORRUPT_PLAN') throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(1200);
  });

  test('check sees an index out of order, and one that names an object twice', async () => {
    const index = 48 * (1 + 63);
    const swapped = Buffer.from(good);
    good.copy(swapped, index, index + 8, index + 16);
    good.copy(swapped, index + 8, index, index + 8);
    await codeOfAsync(async () => (await open(swapped)).check(), 'CORRUPT_PLAN');
    const twice = Buffer.from(good);
    good.copy(twice, index, index + 8, index + 16);
    await codeOfAsync(async () => (await open(twice)).check(), 'CORRUPT_PLAN');
  });
});

describe('the planner of ranges', () => {
  const maker = new TreeMaker();
  const file = (text: string): TreeNode => maker.file(text.repeat(1000));
  const planOf = (entries: Record<string, TreeNode>): Promise<Plan> =>
    open(encode(layOutImage(maker.directory(entries), 1).segments));

  test('takes what the old image has, merged, and fetches the rest', async () => {
    const older = await planOf({ a: file('a'), b: file('bb'), c: file('ccc'), d: file('dddd') });
    const newer = await planOf({ a: file('a'), b: file('bb'), c: file('new'), d: file('dddd') });
    const segments: Segment[] = [];
    for await (const segment of useRanges(newer, older)) segments.push(segment);
    expect(segments.map(({ kind, length }) => [kind, length])).toEqual([
      ['literal', 96],
      ['range', 3000],
      ['object', 3000],
      ['range', 4000],
      ['literal', expect.any(Number)],
      ['zeros', expect.any(Number)],
    ]);
    expect(segments[1]).toEqual({ kind: 'range', offset: 96, length: 3000 });
    expect(segments[3]).toEqual({ kind: 'range', offset: 6096, length: 4000 });
    const { bytes, objects } = await summarizePlan(segments);
    expect({ range: bytes.range, object: bytes.object, objects }).toEqual({
      range: 7000,
      object: 3000,
      objects: 1,
    });
    expect(Object.values(bytes).reduce((sum, part) => sum + part)).toBe(newer.imageSize);
  });

  test('of an image that is the same: no object is fetched', async () => {
    const plan = await planOf({ a: file('a'), b: file('b') });
    expect((await summarizePlan(useRanges(plan, plan))).objects).toBe(0);
  });

  test('of an image that shares nothing: everything is', async () => {
    const newer = await planOf({ a: file('a'), b: file('b') });
    const { objects, bytes } = await summarizePlan(
      useRanges(newer, await planOf({ c: file('c') })),
    );
    expect({ objects, range: bytes.range }).toEqual({ objects: 2, range: 0 });
  });
});
