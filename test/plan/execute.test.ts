import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { executePlan, executorMemory, type PlanExecution } from '../../src/plan/execute.ts';
import { imageDigest } from '../../src/plan/image-digest.ts';
import type { ObjectSource } from '../../src/plan/object-source.ts';
import { hashImage, verifyImage } from '../../src/plan/read-back.ts';
import type { Segment } from '../../src/plan/segment.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { codeOfAsync } from '../support/code-of.ts';
import { MemoryDevice } from '../support/memory-device.ts';

const MiB = 1 << 20;

/** Bytes that are different everywhere, and the same in each run. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed * 2654435761 + 1;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    bytes[index] = state >>> 24;
  }
  return bytes;
}

const base = pattern(3 * MiB, 1);
const contents = new Map<string, Buffer>();
const name = (index: number): string => index.toString(16).padStart(64, '0');
const sizes = [1, 100, 4096, 70_000, 130_000, 200_000, 2 * MiB + 5, 17, 131_072, 131_073];
sizes.forEach((size, index) => {
  contents.set(name(index), pattern(size, index + 2));
});

const objects: ObjectSource = {
  async *open(checksum) {
    const bytes = contents.get(checksum) ?? Buffer.alloc(0);
    for (let from = 0; from < bytes.length; from += 60_000)
      yield bytes.subarray(from, from + 60_000);
  },
};

/** All kinds of segments, small and large, and what they make. */
function makePlan(): { segments: Segment[]; image: Buffer; size: number } {
  const segments: Segment[] = [];
  const parts: Buffer[] = [];
  sizes.forEach((length, index) => {
    const literal = pattern(97 * (index + 1), index + 50);
    segments.push({ kind: 'literal', length: literal.length, bytes: literal });
    segments.push({ kind: 'object', length, checksum: name(index) });
    const range = { offset: 1000 * index + 3, length: 30_000 * (index + 1) };
    segments.push({ kind: 'range', ...range });
    segments.push({ kind: 'zeros', length: 40_000 * index + 1 });
    parts.push(literal, contents.get(name(index)) ?? Buffer.alloc(0));
    parts.push(base.subarray(range.offset, range.offset + range.length));
    parts.push(Buffer.alloc(40_000 * index + 1));
  });
  const image = Buffer.concat(parts);
  return { segments, image, size: image.length };
}

const { segments, image, size } = makePlan();
const sha256 = createHash('sha256').update(image).digest('hex');

function execution(target: MemoryDevice, changes: Partial<PlanExecution> = {}): PlanExecution {
  return {
    segments,
    size,
    room: target.size,
    base: bytesReader(base),
    objects,
    target,
    ...changes,
  };
}

describe('the executor', () => {
  test('writes the image in one sequential pass of large writes, and flushes it', async () => {
    const target = new MemoryDevice(size + 1000);
    const seen: number[] = [];
    const progress = (done: number): void => {
      seen.push(done);
    };
    expect(await executePlan(execution(target, { progress }))).toEqual({ size, sha256 });
    expect(target.durable.subarray(0, size).equals(image)).toBe(true);
    expect(target.bytes.subarray(size).every((byte) => byte === 0xaa)).toBe(true);
    let next = 0;
    for (const { position, length } of target.writes) {
      expect(position).toBe(next);
      expect(position % MiB).toBe(0);
      next += length;
    }
    expect(target.writes).toHaveLength(Math.ceil(size / MiB));
    expect(seen.at(-1)).toBe(size);
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  });

  test('takes segments as they come', async () => {
    const target = new MemoryDevice(size);
    async function* stream(): AsyncIterable<Segment> {
      yield* segments;
    }
    expect(await executePlan(execution(target, { segments: stream() }))).toEqual({ size, sha256 });
  });

  test('S10: refuses an image that does not fit before the first write', async () => {
    const target = new MemoryDevice(size);
    await codeOfAsync(() => executePlan(execution(target, { room: size - 1 })), 'SPACE_SLOT');
    expect(target.writes).toEqual([]);
  });

  test.each([
    ['more', size - 1],
    ['less', size + 1],
  ])('refuses segments that are %s than promised, and never writes beyond', async (_, promised) => {
    const target = new MemoryDevice(size + 10);
    await codeOfAsync(() => executePlan(execution(target, { size: promised })), 'CORRUPT_PLAN');
    const end = Math.max(...target.writes.map(({ position, length }) => position + length));
    expect(end).toBeLessThanOrEqual(promised);
  });

  test('S6: what a checkpoint calls durable was flushed, and lies in whole writes', async () => {
    const target = new MemoryDevice(size);
    const saved: number[] = [];
    const save = async (bytes: number): Promise<void> => {
      saved.push(bytes);
      expect(target.durable.subarray(0, bytes).equals(image.subarray(0, bytes))).toBe(true);
    };
    await executePlan(execution(target, { checkpoint: { everyBytes: 1, save } }));
    expect(saved).toEqual(Array.from({ length: Math.floor(size / MiB) }, (_, i) => (i + 1) * MiB));
    const rare: number[] = [];
    const checkpoint = {
      everyBytes: 3 * MiB,
      save: async (bytes: number) => void rare.push(bytes),
    };
    await executePlan(execution(new MemoryDevice(size), { checkpoint }));
    expect(rare).toEqual(saved.filter((bytes) => bytes % (3 * MiB) === 0));
  });

  test('S7: cut at any write it resumes from the last checkpoint, without writing twice', async () => {
    const writes = Math.ceil(size / MiB);
    for (let cut = 0; cut < writes; cut++) {
      const target = new MemoryDevice(size);
      let durable = 0;
      const save = async (bytes: number): Promise<void> => {
        durable = bytes;
      };
      const checkpoint = { everyBytes: 1, save };
      target.beforeWrite = () => {
        if (target.writes.length === cut) throw new Error('power cut');
      };
      await expect(executePlan(execution(target, { checkpoint }))).rejects.toThrow('power cut');
      // The power is gone: only what was flushed is there.
      const again = new MemoryDevice(target.durable);
      const resumeAt = durable;
      const resumed = execution(again, { checkpoint, resumeAt });
      expect(await executePlan(resumed)).toEqual({ size, sha256 });
      expect(again.bytes.equals(image)).toBe(true);
      expect(again.writes[0]?.position).toBe(resumeAt);
    }
  });

  test('resumes at any byte, in the middle of every kind of segment', async () => {
    let from = 0;
    for (const segment of segments) {
      const at = from + Math.floor(segment.length / 2);
      const target = new MemoryDevice(
        Buffer.concat([image.subarray(0, at), Buffer.alloc(size - at)]),
      );
      expect(await executePlan(execution(target, { resumeAt: at }))).toEqual({ size, sha256 });
      expect(target.bytes.equals(image), `${segment.kind} at ${at}`).toBe(true);
      from += segment.length;
    }
    const whole = new MemoryDevice(image);
    expect(await executePlan(execution(whole, { resumeAt: size }))).toEqual({ size, sha256 });
    expect(whole.writes).toEqual([]);
  });

  test('tells by the digest that the prefix was not what it was thought to be', async () => {
    const target = new MemoryDevice(size);
    const digest = await executePlan(execution(target, { resumeAt: MiB }));
    expect(digest.sha256).not.toBe(sha256);
  });

  test.each([
    ['short', base.subarray(0, 100_000)],
    ['missing', undefined],
  ])('refuses ranges of a base that is %s', async (_, bytes) => {
    const target = new MemoryDevice(size);
    const sources = { base: bytes && bytesReader(bytes) };
    await codeOfAsync(() => executePlan(execution(target, sources)), 'CORRUPT_PLAN');
  });

  test.each([
    ['too long by a byte', 0, (bytes: Buffer) => [bytes, Buffer.alloc(1)]],
    ['endless', 6, (bytes: Buffer) => Array.from({ length: 1000 }, () => bytes)],
    ['too short by a byte', 6, (bytes: Buffer) => [bytes.subarray(1)]],
    ['too short and small', 3, (bytes: Buffer) => [bytes.subarray(1)]],
    ['empty', 2, () => []],
  ])('refuses an object that is %s', async (_, index, change) => {
    const target = new MemoryDevice(size);
    const lying: ObjectSource = {
      async *open(checksum, length) {
        if (checksum === name(index)) yield* change(contents.get(checksum) ?? Buffer.alloc(0));
        else yield* objects.open(checksum, length);
      },
    };
    await codeOfAsync(() => executePlan(execution(target, { objects: lying })), 'CORRUPT_OBJECT');
  });

  test('waits for the write under way before it fails', async () => {
    const target = new MemoryDevice(size);
    const failing: ObjectSource = {
      // biome-ignore lint/correctness/useYield: it fails before
      async *open() {
        throw new Error('the remote is gone');
      },
    };
    let under = 0;
    const write = async (position: number, bytes: Uint8Array): Promise<void> => {
      under++;
      await new Promise((resolve) => setTimeout(resolve, 20));
      await MemoryDevice.prototype.write.call(target, position, bytes);
      under--;
    };
    const many: Segment[] = [
      { kind: 'range', offset: 0, length: 3 * MiB },
      { kind: 'object', length: 5 * MiB, checksum: name(0) },
    ];
    const slow = { size, read: target.read.bind(target), flush: async () => undefined, write };
    const run = executePlan(
      execution(target, {
        segments: many,
        size: 8 * MiB,
        room: 8 * MiB,
        target: slow,
        objects: failing,
      }),
    );
    await expect(run).rejects.toThrow('the remote is gone');
    expect(under).toBe(0);
  });
});

describe('S9: memory', () => {
  test('what was taken from sources and not yet written stays below the stated bound', async () => {
    let taken = 0;
    let written = 0;
    let most = 0;
    let open = 0;
    let mostOpen = 0;
    const count = (bytes: number): void => {
      taken += bytes;
      most = Math.max(most, taken - written);
    };
    const small = Array.from({ length: 400 }, (_, i): Segment[] => [
      { kind: 'object', length: (i * 7919) % 131_072 || 1, checksum: name(i) },
      { kind: 'range', offset: i, length: 65_536 },
      { kind: 'object', length: i % 50 === 0 ? 5 * MiB : 10, checksum: name(1000 + i) },
    ]).flat();
    const literal: Segment = { kind: 'literal', length: 65_536, bytes: Buffer.alloc(65_536) };
    for (let count = 0; count < 200; count++) small.push(literal);
    const total = small.reduce((sum, { length }) => sum + length, 0);
    async function* stream(): AsyncIterable<Segment> {
      for (const segment of small) {
        if (segment.kind === 'literal') count(segment.length);
        yield segment;
      }
    }
    const counting: ObjectSource = {
      async *open(_, length) {
        open++;
        mostOpen = Math.max(mostOpen, open);
        for (let done = 0; done < length; done += 65_536) {
          await new Promise((resolve) => setImmediate(resolve));
          const chunk = Buffer.alloc(Math.min(65_536, length - done));
          count(chunk.length);
          yield chunk;
        }
        open--;
      },
    };
    const digest = await executePlan({
      segments: stream(),
      size: total,
      room: total,
      objects: counting,
      base: {
        size: base.length,
        read: async (_, length) => {
          count(length);
          return Buffer.alloc(length);
        },
      },
      target: {
        read: async () => Buffer.alloc(0),
        write: async (_, bytes) => {
          await new Promise((resolve) => setImmediate(resolve));
          written += bytes.length;
        },
        flush: async () => undefined,
      },
    });
    expect(digest.size).toBe(total);
    expect(most).toBeLessThanOrEqual(executorMemory);
    // Latency is hidden: several are under way at a time, but not all.
    expect(mostOpen).toBeGreaterThan(4);
    // Eight ahead, the next to come, and a large one that is streamed.
    expect(mostOpen).toBeLessThanOrEqual(10);
  });
});

describe('digests', () => {
  test('of an image that is only thought of', async () => {
    const own = segments.filter(({ kind }) => kind !== 'range');
    const target = new MemoryDevice(size);
    const length = own.reduce((sum, segment) => sum + segment.length, 0);
    const written = await executePlan(execution(target, { segments: own, size: length }));
    expect(await imageDigest({ size: length, segments: own }, objects)).toEqual(written);
  });

  test('of what is in a slot', async () => {
    const device = new MemoryDevice(Buffer.concat([image, Buffer.alloc(500)]));
    expect(await hashImage(device, size)).toEqual({ size, sha256 });
    await verifyImage(device, { size, sha256 });
    device.bytes[size - 1] = (device.bytes[size - 1] ?? 0) ^ 1;
    await codeOfAsync(() => verifyImage(device, { size, sha256 }), 'CORRUPT_IMAGE');
  });
});
