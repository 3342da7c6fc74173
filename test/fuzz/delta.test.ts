import { beforeAll, describe, expect, test } from 'vitest';
import { decodeIndex, encodeIndex } from '../../src/delta/chain/delta-index.ts';
import { madeBytes } from '../../src/delta/chain/made-bytes.ts';
import type { DeltaFile } from '../../src/delta/decode/delta-file.ts';
import { openDelta } from '../../src/delta/decode/delta-file.ts';
import { deltaSegments } from '../../src/delta/decode/delta-segments.ts';
import { readTables } from '../../src/delta/decode/read-tables.ts';
import { StreamReader } from '../../src/delta/decode/stream-reader.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { type StreamName, streamNames } from '../../src/delta/format/delta-format.ts';
import { PineError } from '../../src/error.ts';
import { maxLiteral } from '../../src/plan/segment.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { deltaBytes, makeImage, openBytes, type TestImage } from '../delta/support/image-pair.ts';
import { memoryScratch } from '../delta/support/memory-scratch.ts';
import { apart, bytesOf, joined, tableOf } from '../delta/support/point-table.ts';
import { makeElf } from '../delta/support/small-elf.ts';
import { makeKernel } from '../delta/support/small-kernel.ts';
import { mutate, randomSource } from './mutate.ts';

/** Repeats a run: it is printed with each. */
const seed = Number(process.env.PINE_FUZZ_SEED ?? 4);
const random = randomSource(seed);
const [files, streams, kernels, tables, indexes] = [40_000, 40_000, 4_000, 10_000, 20_000];

/** A delta as it should be, and what is in its streams. */
interface Good {
  readonly from: TestImage;
  readonly to: TestImage;
  readonly file: Buffer;
  readonly delta: DeltaFile;
  readonly plain: ReadonlyMap<StreamName, Buffer>;
}

let programs: Good;
/** Compressed in their files. */
let packed: Good;
let zipped: Good;
/** With tables of points of two curves. */
let computed: Good;

beforeAll(async () => {
  const program = (functions: number[]) => makeElf({ functions, seed: 2 });
  programs = await makeGood(
    { p: program([3, 4, 5]), same: 'x' },
    { p: program([3, 40, 5]), new: 'new', same: 'x' },
  );
  packed = await makeGood(
    { k: makeKernel(program([3, 4, 5])) },
    { k: makeKernel(program([3, 40, 5])) },
  );
  zipped = await makeGood(
    { k: makeKernel(program([3, 4, 5]), 'gzip') },
    { k: makeKernel(program([3, 40, 5]), 'gzip') },
  );
  const points = (name: string, index: number, shape: typeof apart) =>
    bytesOf(tableOf(name, index, { ...shape, length: 2100 }));
  const [s, t] = [points('SM2', 1, { ...apart, rowPoints: 20 }), points('prime256v1', 0, joined)];
  computed = await makeGood({ a: 'x' }, { a: 'x', s, t });
  const found = await readTables(computed.delta.stream('plan'), computed.to.image.size, 'test');
  expect(found.length).toBe(2);
  console.info(`PINE_FUZZ_SEED=${seed}`);
});

async function makeGood(
  before: Record<string, string | Uint8Array>,
  after: Record<string, string | Uint8Array>,
): Promise<Good> {
  const [from, to] = [await makeImage(before, 'a'), await makeImage(after, 'b')];
  const file = deltaBytes((await encodeDelta(from, to)).delta);
  const delta = await openBytes(file);
  const plain = new Map<StreamName, Buffer>();
  for (const name of streamNames) {
    const bytes = Buffer.alloc(delta.header.streams[name].plainSize);
    await delta.stream(name).readInto(bytes);
    plain.set(name, bytes);
  }
  return { from, to, file, delta, plain };
}

/** Runs a decoder: how it ended, or `done`. What is no PineError is a defect. */
async function ending(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return 'done';
  } catch (error) {
    if (error instanceof PineError) return error.code;
    throw error;
  }
}

/** Applies a delta, and sees that it never makes more than it says, nor reads what is not there. */
async function apply(delta: DeltaFile, { from, to }: Good): Promise<void> {
  let size = 0;
  const scratch = memoryScratch();
  for await (const segment of deltaSegments(delta, from.reader, scratch)) {
    const { kind, length } = segment;
    const isBounded = length > 0 && (kind !== 'literal' || length <= maxLiteral);
    const end = kind === 'range' ? segment.offset + length : length;
    const isInside = kind !== 'range' || (segment.offset >= 0 && end <= from.image.size);
    if (!isBounded || !isInside) throw new Error(`${kind} of ${length} bytes, to ${end}`);
    size += length;
  }
  if (scratch.most() > delta.header.scratch) throw new Error(`${scratch.most()} bytes kept`);
  if (size !== to.image.size) throw new Error(`${size} bytes instead of ${to.image.size}`);
}

describe(`a delta that was altered: ${files + streams + 2 * kernels + tables + indexes} mutations`, () => {
  test(`its file: ${files}`, async () => {
    const endings = new Map<string, number>();
    for (let round = 0; round < files; round++) {
      const bytes = mutate([programs.file], random);
      const open = async () => (await openDelta(bytesReader(bytes), undefined, 'x')).check();
      const found = await ending(open);
      endings.set(found, (endings.get(found) ?? 0) + 1);
    }
    expect([...endings.keys()].sort()).toEqual(['CORRUPT_DELTA', 'done']);
    // Names and digests of the two ends are what only the signature covers.
    expect(endings.get('CORRUPT_DELTA')).toBeGreaterThan(0.7 * files);
  }, 300_000);

  test.each([
    [streams, 'its streams', () => programs],
    [kernels, 'those of a kernel that is compressed again', () => packed],
    [kernels, 'those of one that gzip compressed', () => zipped],
    [tables, 'those of tables that are computed', () => computed],
  ])(
    '%i of %s, each hash of which is right',
    async (rounds, _, made) => {
      const good = made();
      const endings = new Map<string, number>();
      let longest = 0;
      for (let round = 0; round < rounds; round++) {
        const changed = new Map(good.plain);
        for (let changes = random(3); changes >= 0; changes--) {
          const name = streamNames[random(streamNames.length)] ?? 'plan';
          changed.set(name, mutate([changed.get(name) ?? Buffer.of()], random));
        }
        const lying: DeltaFile = {
          ...good.delta,
          stream: (name) => readerOf(changed.get(name) ?? Buffer.of(), name),
        };
        const before = process.cpuUsage();
        const found = await ending(() => (round % 8 === 0 ? madeBytes(lying) : apply(lying, good)));
        const { user, system } = process.cpuUsage(before);
        longest = Math.max(longest, user + system);
        endings.set(found, (endings.get(found) ?? 0) + 1);
      }
      expect([...endings.keys()].sort()).toEqual(['CORRUPT_DELTA', 'done']);
      expect(endings.get('CORRUPT_DELTA')).toBeGreaterThan(rounds / 2);
      // Microseconds: no number makes it work for long.
      expect(longest).toBeLessThan(1e6);
    },
    300_000,
  );

  test(`the list of what leads to a commit: ${indexes}`, async () => {
    const [target, other] = ['c'.repeat(64), 'd'.repeat(64)];
    const links = [{ from: other, to: target, size: 1234, made: 5678, scratch: 9 }];
    const index = { sources: [{ commit: other, files: 99, links }], more: false };
    const text = Buffer.from(encodeIndex(target, index));
    const found = new Set<string>();
    for (let round = 0; round < indexes; round++) {
      const bytes = mutate([text], random);
      found.add(await ending(async () => decodeIndex(bytes.toString(), target, 'x')));
    }
    expect([...found].sort()).toEqual(['CORRUPT_DELTA_INDEX', 'done']);
  });
});

function readerOf(bytes: Buffer, name: string): StreamReader {
  const chunks = async function* () {
    if (bytes.length > 0) yield bytes;
  };
  return new StreamReader(chunks(), bytes.length, name);
}
