import { maxLiteral, type Segment } from '../../plan/segment.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import { PredictorMemory } from '../pointers/predict/predictor-memory.ts';
import type { Scratch } from '../recompress/scratch.ts';
import type { DeltaFile } from './delta-file.ts';
import { Differences } from './differences.ts';
import { Literals } from './literals.ts';
import { OldFile } from './old-file.ts';
import { OldWindows } from './old-windows.ts';
import { type PatchStreams, patchedBytes, readCopies } from './patch-reader.ts';
import { boundsOf, readItem } from './read-item.ts';
import { readTables } from './read-tables.ts';
import { type OldSources, recompressedBytes } from './recompressed.ts';
import type { StreamReader } from './stream-reader.ts';

/**
 * The plan of the new image that a delta makes of the old one: what it copies as ranges, and all that
 * it makes as literals. Memory is bounded by constants (S9): docs/delta-format.md has the sum. What is decompressed of
 * the old image goes into `scratch`, as many bytes at a time as the header says.
 *
 * Throws CORRUPT_DELTA. Whether the old image was the right one shows in the digest of what comes out.
 */
export async function* deltaSegments(
  delta: DeltaFile,
  base: PositionedReader,
  scratch: Scratch,
): AsyncGenerator<Segment> {
  const { from } = delta.header;
  if (from.image.size > base.size) {
    throw corruptDelta(`a base of ${from.image.size} bytes`, `${base.size} bytes`, delta.name);
  }
  const plan = delta.stream('plan');
  const runs = delta.stream('runs');
  const bytes = delta.stream('differences');
  const differences = new Differences(runs, bytes, delta.name);
  const plain = delta.stream('literals');
  const control = delta.stream('control');
  const all = [plan, control, runs, bytes, plain];
  const windows = new OldWindows(base);
  try {
    const tables = await readTables(plan, delta.header.to.image.size, delta.name);
    const literals = new Literals(plain, tables, `${delta.name}, the tables`);
    const items = readItems(
      delta,
      plan,
      { control, literals, differences, memory: new PredictorMemory() },
      { windows, base, scratch },
    );
    yield* items;
    await differences.finish();
    await literals.finish();
    for (const stream of [plan, control, runs, bytes]) await stream.finish();
  } finally {
    for (const stream of all) await stream.close();
    await windows.settle();
  }
}

async function* readItems(
  delta: DeltaFile,
  plan: StreamReader,
  streams: PatchStreams,
  { windows, base, scratch }: OldSources,
): AsyncGenerator<Segment> {
  const made = new MadeBytes();
  const sizes = boundsOf(delta.header);
  let oldEnd = 0;
  let scratchUsed = 0;
  for (let at = 0; at < sizes.new; ) {
    const item = await readItem(plan, { at, oldEnd, sizes, where: delta.name });
    const { kind, length } = item;
    at += length;
    oldEnd = item.oldEnd;
    switch (kind) {
      case 'literal':
        yield* made.add(readLiterals(streams.literals, length));
        break;
      case 'zeros':
        yield* made.flush();
        yield { kind, length };
        break;
      case 'extent':
        yield* made.flush();
        yield { kind: 'range', offset: item.offset, length };
        break;
      case 'patch': {
        const { oldOffset, oldSize } = item.shape;
        const copies = await readCopies(item.shape, streams, delta.name);
        const old = new OldFile(windows, oldOffset, oldSize);
        yield* made.add(patchedBytes(item.shape, old, copies, streams));
        break;
      }
      case 'recompressed': {
        const { shape } = item;
        scratchUsed = Math.max(scratchUsed, shape.patch.oldSize);
        const old = { windows, base, scratch };
        yield* made.add(recompressedBytes(shape, old, streams, delta.name));
      }
    }
  }
  yield* made.flush();
  if (scratchUsed === sizes.scratch) return;
  throw corruptDelta(`${sizes.scratch} bytes decompressed`, `${scratchUsed}`, delta.name);
}

async function* readLiterals(literals: Literals, length: number): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(length, 4096));
  for (let left = length; left > 0; left -= Math.min(left, buffer.length)) {
    const bytes = buffer.subarray(0, left);
    await literals.readInto(bytes);
    yield bytes;
  }
}

/** Puts small pieces together to literals of the greatest length that a segment may have. */
class MadeBytes {
  /** Buffers that were given back. */
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #buffer = new Uint8Array(maxLiteral);
  #filled = 0;

  async *add(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Segment> {
    for await (const piece of pieces) {
      for (let rest = piece; rest.length > 0; ) {
        const part = rest.subarray(0, maxLiteral - this.#filled);
        this.#buffer.set(part, this.#filled);
        this.#filled += part.length;
        rest = rest.subarray(part.length);
        if (this.#filled === maxLiteral) yield* this.flush();
      }
    }
  }

  *flush(): Generator<Segment> {
    if (this.#filled === 0) return;
    const buffer = this.#buffer;
    const bytes = buffer.subarray(0, this.#filled);
    const giveBack = (): void => {
      this.#free.push(buffer);
    };
    // Whoever takes a segment may keep it.
    this.#buffer = this.#free.pop() ?? new Uint8Array(maxLiteral);
    this.#filled = 0;
    yield { kind: 'literal', length: bytes.length, bytes, giveBack };
  }
}
