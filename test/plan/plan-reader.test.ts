import { beforeAll, describe, expect, test } from 'vitest';
import { encodePlan, openPlan, type Plan } from '../../src/plan/plan-file.ts';
import { planReader } from '../../src/plan/plan-reader.ts';
import type { Segment } from '../../src/plan/segment.ts';
import { bytesReader, type PositionedReader } from '../../src/ports/positioned-reader.ts';
import { contentOf } from '../crash/world/release.ts';
import { makeReleases, type Releases } from '../crash/world/releases.ts';
import { codeOfAsync } from '../support/code-of.ts';
import fc from '../support/fast-check.ts';

let releases: Releases;
let plans: Record<'v1' | 'v2', Plan>;
beforeAll(async () => {
  releases = await makeReleases();
  const open = (bytes: Buffer) => openPlan(bytesReader(bytes));
  plans = { v1: await open(releases.v1.plan), v2: await open(releases.v2.plan) };
});

/** Objects of v2; which of them were opened is noted. */
function objectsOf(opened: Set<string> = new Set()) {
  return {
    async *open(checksum: string) {
      opened.add(checksum);
      const content = releases.v2.objects.get(checksum) ?? Buffer.alloc(0);
      for (let at = 0; at < content.length; at += 10_000) yield content.subarray(at, at + 10_000);
    },
  };
}

/** A reader that notes how many bytes are asked for. */
function counted(bytes: Buffer): { reader: PositionedReader; read: () => number } {
  const inner = bytesReader(bytes);
  let total = 0;
  const reader: PositionedReader = {
    size: inner.size,
    async read(position, length) {
      total += length;
      return inner.read(position, length);
    },
  };
  return { reader, read: () => total };
}

describe('an image that is read by its plan', () => {
  test('has the bytes that it will have, wherever they are read', async () => {
    const { v1, v2 } = releases;
    const empty = { device: bytesReader(Buffer.alloc(0)), plan: undefined };
    const old = { device: bytesReader(v1.image), plan: plans.v1 };
    for (const base of [empty, old]) {
      const reader = planReader(plans.v2, objectsOf(), base);
      expect(reader.size).toBe(v2.image.length);
      expect((await reader.read(0, reader.size)).equals(v2.image)).toBe(true);
      const size = v2.image.length;
      await fc.assert(
        fc.asyncProperty(fc.nat(size), fc.nat(70_000), async (position, wanted) => {
          const length = Math.min(wanted, size - position);
          const found = await reader.read(position, length);
          expect(found.equals(v2.image.subarray(position, position + length))).toBe(true);
        }),
      );
      await codeOfAsync(() => reader.read(size - 1, 2), 'CORRUPT_PLAN');
    }
  });

  test('is read in the old image where that has it', async () => {
    const { v1, v2 } = releases;
    const opened = new Set<string>();
    const base = { device: bytesReader(v1.image), plan: plans.v1 };
    const reader = planReader(plans.v2, objectsOf(opened), base);
    await reader.read(0, reader.size);
    const news = [...v2.objects.keys()].filter((checksum) => !v1.objects.has(checksum));
    expect([...opened].sort()).toEqual(news.sort());
    expect(news).toHaveLength(2);
  });

  test('S9: takes no more of a plan of 200,000 segments than it needs', async () => {
    const segments: Segment[] = Array.from({ length: 200_000 }, (_, index) => ({
      kind: 'object',
      length: 10,
      checksum: contentOf(`${index}`, 32).toString('hex'),
    }));
    segments.push({ kind: 'literal', length: 5, bytes: Buffer.from('tail\n') });
    const { reader, read } = counted(Buffer.concat([...encodePlan({ segments })]));
    const plan = await openPlan(reader);
    const objects = {
      async *open(checksum: string) {
        yield Buffer.from(checksum, 'hex').subarray(0, 10);
      },
    };
    const image = planReader(plan, objects, {
      device: bytesReader(Buffer.alloc(0)),
      plan: undefined,
    });
    const tenth = await image.read(999_990, 20);
    const expected = [99_999, 100_000].map((index) => contentOf(`${index}`, 10));
    expect(tenth.equals(Buffer.concat(expected))).toBe(true);
    expect((await image.read(2_000_000, 5)).toString()).toBe('tail\n');
    // Of 11 MB: a page for each step of a search.
    expect(read()).toBeLessThan(50 * 4096);
  });
});
