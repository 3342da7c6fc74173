import { ComputedCount } from './decode/computed-count.ts';
import type { DeltaFile } from './decode/delta-file.ts';
import { Differences } from './decode/differences.ts';
import { type PatchShape, type PatchStreams, readCopies } from './decode/patch-reader.ts';
import { boundsOf, readItem } from './decode/read-item.ts';
import { readTables } from './decode/read-tables.ts';
import { readParameters } from './decode/recompressed.ts';
import type { itemKind } from './format/delta-format.ts';
import { PredictorMemory } from './pointers/predict/predictor-memory.ts';

/** A run of bytes of the new image, and what the delta has for it, before compression. Bytes. */
export interface DeltaItem {
  readonly kind: keyof typeof itemKind;
  /** Where it begins in the new image. */
  readonly at: number;
  readonly length: number;
  /** Bytes before they are compressed, where that is part of making them; else the same. */
  readonly content: number;
  readonly literals: number;
  /** Literals that are computed, and not counted among the others. */
  readonly computed: number;
  readonly differences: number;
  readonly copies: number;
}

/**
 * Everything that a delta is made of, in the order of the new image. Literals that lie over `borders` (places in the new
 * image, in their order) count as one item on each side. Throws CORRUPT_DELTA.
 */
export async function* inspectDelta(
  delta: DeltaFile,
  borders: readonly number[] = [],
): AsyncGenerator<DeltaItem> {
  const plan = delta.stream('plan');
  const control = delta.stream('control');
  const [runs, bytes] = [delta.stream('runs'), delta.stream('differences')];
  const differences = new Differences(runs, bytes, delta.name);
  const streams = { control, differences, memory: new PredictorMemory() };
  const sizes = boundsOf(delta.header);
  try {
    const computed = new ComputedCount(await readTables(plan, sizes.new, delta.name));
    const withoutComputed = <Counts extends Pick<DeltaItem, 'literals'>>(counts: Counts) => {
      const taken = computed.take(counts.literals);
      return { ...counts, literals: counts.literals - taken, computed: taken };
    };
    let oldEnd = 0;
    let border = 0;
    for (let at = 0; at < sizes.new; ) {
      const item = await readItem(plan, { at, oldEnd, sizes, where: delta.name });
      const common = { kind: item.kind, at, length: item.length };
      at += item.length;
      oldEnd = item.oldEnd;
      if (item.kind === 'patch') {
        const counts = await countPatch(item.shape, streams, delta.name);
        yield { ...common, ...withoutComputed(counts) };
      } else if (item.kind === 'recompressed') {
        const { patch, codec } = item.shape;
        await readParameters(codec, patch.newSize, control, delta.name);
        const counts = await countPatch(patch, streams, delta.name);
        yield { ...common, ...withoutComputed(counts) };
      } else if (item.kind === 'literal') {
        for (let start = common.at; start < at; ) {
          while ((borders[border] ?? at) <= start) border++;
          const length = Math.min(borders[border] ?? at, at) - start;
          const counts = { content: length, literals: length, differences: 0, copies: 0 };
          yield { ...common, at: start, length, ...withoutComputed(counts) };
          start += length;
        }
      } else {
        const counts = { literals: 0, computed: 0, differences: 0, copies: 0 };
        yield { ...common, content: item.length, ...counts };
      }
    }
  } finally {
    for (const stream of [plan, control, runs, bytes]) await stream.close();
  }
}

async function countPatch(
  shape: PatchShape,
  { control, memory, differences }: Omit<PatchStreams, 'literals'>,
  where: string,
): Promise<Pick<DeltaItem, 'content' | 'literals' | 'differences' | 'copies'>> {
  const { count, length } = await readCopies(shape, { control, memory }, where);
  const copied = length.reduce((sum, each) => sum + each, 0);
  return {
    content: shape.newSize,
    literals: shape.newSize - copied,
    differences: await countDifferences(differences, copied),
    copies: count,
  };
}

async function countDifferences(differences: Differences, length: number): Promise<number> {
  const buffer = new Uint8Array(65536);
  let count = 0;
  for (let done = 0; done < length; done += buffer.length) {
    const part = buffer.subarray(0, length - done).fill(0);
    await differences.addTo(part);
    for (const byte of part) if (byte !== 0) count++;
  }
  return count;
}
