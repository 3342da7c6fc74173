import { PineError } from '../../error.ts';
import { openImage } from '../../image/reader/open-image.ts';
import { inodeType } from '../../image/squashfs/format.ts';
import { overlayLiterals } from '../../plan/literal-overlay.ts';
import type { ObjectSource } from '../../plan/object-source.ts';
import type { Plan } from '../../plan/open-plan.ts';
import { ReadAhead } from '../../plan/read-ahead.ts';
import type { Segment } from '../../plan/segment.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { fileObjectHash } from '../../repo/file-header.ts';
import type { Damage } from './find-damage.ts';

/** Where the content of damaged objects can be had: by checksum, the place in the running slot, or the remote. */
export type Sources = ReadonlyMap<string, { readonly offset: number } | 'remote'>;

/**
 * Finds a source for each damaged object before anything is written: the running slot, if its copy is sound, or else
 * the remote. Throws what the remote throws for one that it does not have.
 */
export async function findSources(
  damage: readonly Damage[],
  running: { readonly device: PositionedReader; readonly plan: Plan } | undefined,
  objects: ObjectSource,
): Promise<Sources> {
  const sources = new Map<string, { readonly offset: number } | 'remote'>();
  for (const { object, length } of damage) {
    if (object === undefined || sources.has(object)) continue;
    const offset = running && (await soundCopy(running, object));
    if (offset !== undefined) {
      sources.set(object, { offset });
      continue;
    }
    await askFor(objects, object, length);
    sources.set(object, 'remote');
  }
  return sources;
}

/** The image again: what is sound from the slot itself, what is damaged from where it can be had. */
export async function* repairSegments(
  plan: Plan,
  damage: readonly Damage[],
  sources: Sources,
  runningSize: number,
): AsyncIterable<Segment> {
  const damaged = new Set(damage.map(({ position }) => position));
  let position = 0;
  for await (const segment of plan.segments()) {
    const { length } = segment;
    if (segment.kind !== 'object') yield segment;
    else {
      const source = damaged.has(position)
        ? sources.get(segment.checksum)
        : { offset: runningSize + position };
      if (source === undefined || source === 'remote') yield segment;
      else yield { kind: 'range', length, offset: source.offset };
    }
    position += length;
  }
}

/** Two slots as one base: the running one, and behind it the one that is written, for what is sound in it. */
export function bothSlots(running: PositionedReader, other: PositionedReader): PositionedReader {
  return {
    size: running.size + other.size,
    read: (position, length, into) =>
      position < running.size
        ? running.read(position, length, into)
        : other.read(position - running.size, length, into),
  };
}

/** Where the running slot has a sound copy of an object. */
async function soundCopy(
  { device, plan }: { readonly device: PositionedReader; readonly plan: Plan },
  checksum: string,
): Promise<number | undefined> {
  const found = await plan.find(checksum);
  if (found === undefined) return undefined;
  const image = await openImage(await overlayLiterals(device, plan), plan.imageSize);
  for await (const inode of image.inodes()) {
    if (inode.type !== inodeType.file || inode.start !== found.offset) continue;
    if (inode.size === 0) continue;
    const hash = fileObjectHash({ ...(await image.metadata(inode)), target: '' });
    const bytes = new ReadAhead().read(device, found.offset, found.length);
    for await (const piece of bytes) hash.update(piece);
    return hash.digest('hex') === checksum ? found.offset : undefined;
  }
  return undefined;
}

/** Whether the remote has it: its first bytes are asked for, and no more. */
async function askFor(objects: ObjectSource, checksum: string, length: number): Promise<void> {
  for await (const _ of objects.open(checksum, length)) return;
}

/** Where there is no remote, nothing can be fetched. */
export const noRemote: ObjectSource = {
  // biome-ignore lint/correctness/useYield: it has none
  async *open(checksum) {
    throw new PineError('NOT_FOUND_OBJECT', 'the running slot does not have what is damaged', {
      expected: 'a remote that has it',
      found: 'no remote',
      where: `object ${checksum}`,
      remedy: 'name a remote in pinectl.toml, or write the slot anew: pinectl upgrade',
    });
  },
};
