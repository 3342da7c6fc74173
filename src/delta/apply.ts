import { PineError } from '../error.ts';
import { executePlan } from '../plan/execute.ts';
import type { ObjectSource } from '../plan/object-source.ts';
import { hashImage } from '../plan/read-back.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Progress } from '../ports/progress.ts';
import type { DeltaFile } from './decode/delta-file.ts';
import { deltaSegments } from './decode/delta-segments.ts';
import type { Scratch } from './recompress/scratch.ts';

/** A delta brings all that it needs. */
export const noObjects: ObjectSource = {
  open() {
    throw new TypeError('a delta names no objects');
  },
};

/**
 * Writes the new image from the old one, which is hashed before: a delta for another base changes nothing.
 * Throws INPUT_DELTA_BASE, CORRUPT_DELTA, SPACE_SLOT, and CORRUPT_IMAGE when it comes out wrong.
 */
export async function applyDelta(
  delta: DeltaFile,
  base: PositionedReader,
  target: Pick<BlockDevice, 'read' | 'write' | 'flush' | 'size'>,
  scratch: Scratch,
  progress?: Progress,
): Promise<void> {
  await checkBase(delta, base, progress);
  const { image, commit } = delta.header.to;
  const found = await executePlan({
    segments: deltaSegments(delta, base, scratch),
    objects: noObjects,
    base,
    size: image.size,
    room: target.size,
    target,
    progress,
  });
  if (found.sha256 === image.sha256) return;
  throw new PineError('CORRUPT_IMAGE', 'the delta does not make the image that it promises', {
    expected: `SHA-256 ${image.sha256}, of commit ${commit}`,
    found: found.sha256,
    where: delta.name,
    remedy: 'make the delta again: pinectl delta generate --force',
  });
}

async function checkBase(
  { header: { from }, name }: DeltaFile,
  base: PositionedReader,
  progress: Progress | undefined,
): Promise<void> {
  const size = Math.min(base.size, from.image.size);
  const { sha256 } = await hashImage(base, size, progress);
  if (size === from.image.size && sha256 === from.image.sha256) return;
  throw new PineError('INPUT_DELTA_BASE', 'this delta is for another image', {
    expected: `${from.image.size} bytes, SHA-256 ${from.image.sha256}, of commit ${from.commit}`,
    found:
      base.size > size
        ? `SHA-256 ${sha256} of the first ${size} of ${base.size} bytes`
        : `${base.size} bytes, SHA-256 ${sha256}`,
    where: name,
    remedy: 'give the image that it is from: `pinectl delta show` tells',
  });
}
