import { beforeAll, describe, expect, test } from 'vitest';
import { decodeIndex, encodeIndex } from '../../src/delta/chain/delta-index.ts';
import { madeBytes } from '../../src/delta/chain/made-bytes.ts';
import type { DeltaFile } from '../../src/delta/decode/delta-file.ts';
import { openDelta } from '../../src/delta/decode/delta-file.ts';
import { deltaSegments } from '../../src/delta/decode/delta-segments.ts';
import { StreamReader } from '../../src/delta/decode/stream-reader.ts';
import { encodeDelta } from '../../src/delta/encode/encode-delta.ts';
import { type StreamName, streamNames } from '../../src/delta/format/delta-format.ts';
import { PineError } from '../../src/error.ts';
import { maxLiteral } from '../../src/plan/segment.ts';
import { bytesReader } from '../../src/ports/positioned-reader.ts';
import { deltaBytes, makeImage, openBytes, type TestImage } from '../delta/support/image-pair.ts';
import { makeElf } from '../delta/support/small-elf.ts';
import { mutate, randomSource } from './mutate.ts';

/** Repeats a run: it is printed with each. */
const seed = Number(process.env.PINE_FUZZ_SEED ?? 4);
const random = randomSource(seed);
const [files, streams, indexes] = [40_000, 40_000, 20_000];

let from: TestImage;
let to: TestImage;
let file: Buffer;
let good: DeltaFile;
let plain: Map<StreamName, Buffer>;

beforeAll(async () => {
  const program = (functions: number[]) => makeElf({ functions, seed: 2 });
  from = await makeImage({ p: program([3, 4, 5]), same: 'x' }, 'a');
  to = await makeImage({ p: program([3, 40, 5]), new: 'new', same: 'x' }, 'b');
  file = deltaBytes((await encodeDelta(from, to)).delta);
  good = await openBytes(file);
  plain = new Map();
  for (const name of streamNames) {
    const bytes = Buffer.alloc(good.header.streams[name].plainSize);
    await good.stream(name).readInto(bytes);
    plain.set(name, bytes);
  }
  console.info(`PINE_FUZZ_SEED=${seed}`);
});

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
async function apply(delta: DeltaFile): Promise<void> {
  let size = 0;
  for await (const segment of deltaSegments(delta, from.reader)) {
    const { kind, length } = segment;
    const isBounded = length > 0 && (kind !== 'literal' || length <= maxLiteral);
    const end = kind === 'range' ? segment.offset + length : length;
    const isInside = kind !== 'range' || (segment.offset >= 0 && end <= from.image.size);
    if (!isBounded || !isInside) throw new Error(`${kind} of ${length} bytes, to ${end}`);
    size += length;
  }
  if (size !== to.image.size) throw new Error(`${size} bytes instead of ${to.image.size}`);
}

describe(`a delta that was altered: ${files + streams + indexes} mutations`, () => {
  test(`its file: ${files}`, async () => {
    const endings = new Map<string, number>();
    for (let round = 0; round < files; round++) {
      const bytes = mutate([file], random);
      const open = async () => (await openDelta(bytesReader(bytes), undefined, 'x')).check();
      const found = await ending(open);
      endings.set(found, (endings.get(found) ?? 0) + 1);
    }
    expect([...endings.keys()].sort()).toEqual(['CORRUPT_DELTA', 'done']);
    // Names and digests of the two ends are what only the signature covers.
    expect(endings.get('CORRUPT_DELTA')).toBeGreaterThan(0.7 * files);
  }, 300_000);

  test(`its streams, each hash of which is right: ${streams}`, async () => {
    const endings = new Map<string, number>();
    for (let round = 0; round < streams; round++) {
      const changed = new Map(plain);
      for (let changes = random(3); changes >= 0; changes--) {
        const name = streamNames[random(streamNames.length)] ?? 'plan';
        changed.set(name, mutate([changed.get(name) ?? Buffer.of()], random));
      }
      const lying: DeltaFile = {
        ...good,
        stream: (name) => readerOf(changed.get(name) ?? Buffer.of(), name),
      };
      const found = await ending(() => (round % 8 === 0 ? madeBytes(lying) : apply(lying)));
      endings.set(found, (endings.get(found) ?? 0) + 1);
    }
    expect([...endings.keys()].sort()).toEqual(['CORRUPT_DELTA', 'done']);
    expect(endings.get('CORRUPT_DELTA')).toBeGreaterThan(streams / 2);
  }, 300_000);

  test(`the list of what leads to a commit: ${indexes}`, async () => {
    const [target, other] = ['c'.repeat(64), 'd'.repeat(64)];
    const links = [{ from: other, to: target, size: 1234, made: 5678 }];
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
