import { createHash } from 'node:crypto';
import { imageBytes } from '../plan/image-bytes.ts';
import type { Segment } from '../plan/segment.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { noObjects } from './apply.ts';
import { type DeltaFile, openDelta } from './decode/delta-file.ts';
import { deltaSegments } from './decode/delta-segments.ts';
import type { UnsignedDelta } from './encode/compress.ts';
import type { DeltaEnd } from './format/header.ts';
import { piecesReader } from './pieces-reader.ts';
import type { PlannedImage } from './planned-image.ts';
import type { Scratch } from './recompress/scratch.ts';
import { signDelta } from './sign-delta.ts';

/**
 * Applies a delta as a server would, and compares what it makes with the new image: its bytes, or the objects that both
 * plans have in what is copied. A delta that makes another image is a defect of pine.
 */
export async function checkDelta(
  delta: UnsignedDelta,
  base: PlannedImage,
  image: PlannedImage,
  scratch: Scratch,
): Promise<void> {
  const file = piecesReader(await signDelta(delta, []));
  const opened = await openDelta(file, undefined, 'the new delta');
  let at = 0;
  for await (const segment of deltaSegments(opened, base, scratch)) {
    if (!(await isPart(image, at, segment, base))) {
      throw new Error(`the new delta makes another image from byte ${at} on`);
    }
    at += segment.length;
  }
  if (at !== image.size) throw new Error(`the new delta makes ${at} bytes, not ${image.size}`);
}

/** Whether what a segment makes is in the image at a place. */
async function isPart(
  image: PlannedImage,
  at: number,
  segment: Segment,
  base: PlannedImage,
): Promise<boolean> {
  const { kind, length } = segment;
  if (kind === 'range') return image.hasSame(at, length, base, segment.offset);
  if (kind === 'literal') return image.hasBytes(at, segment.bytes);
  return kind === 'zeros' && image.hasBytes(at, new Uint8Array(length));
}

/** Applies a delta that is opened already. One that makes another image than `to` is a defect of pine. */
export async function checkMakes(
  delta: DeltaFile,
  base: PositionedReader,
  to: DeltaEnd,
  scratch: Scratch,
): Promise<void> {
  const segments = deltaSegments(delta, base, scratch);
  const hash = createHash('sha256');
  for await (const bytes of imageBytes({ segments, objects: noObjects, base })) hash.update(bytes);
  const found = hash.digest('hex');
  if (found !== to.image.sha256) {
    throw new Error(`the new delta makes ${found} instead of ${to.image.sha256}`);
  }
}
