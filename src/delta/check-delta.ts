import { createHash } from 'node:crypto';
import { imageBytes } from '../plan/image-bytes.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { noObjects } from './apply.ts';
import { type DeltaFile, openDelta } from './decode/delta-file.ts';
import { deltaSegments } from './decode/delta-segments.ts';
import type { UnsignedDelta } from './encode/compress.ts';
import type { DeltaEnd } from './format/header.ts';
import { piecesReader } from './pieces-reader.ts';
import { signDelta } from './sign-delta.ts';

/** Applies a delta as a server would. One that makes another image than `to` is a defect of pine. */
export async function checkDelta(
  delta: UnsignedDelta,
  base: PositionedReader,
  to: DeltaEnd,
): Promise<void> {
  const file = piecesReader(await signDelta(delta, []));
  await checkMakes(await openDelta(file, undefined, 'the new delta'), base, to);
}

/** The same for one that is opened already. */
export async function checkMakes(
  delta: DeltaFile,
  base: PositionedReader,
  to: DeltaEnd,
): Promise<void> {
  const segments = deltaSegments(delta, base);
  const hash = createHash('sha256');
  for await (const bytes of imageBytes({ segments, objects: noObjects, base })) hash.update(bytes);
  const found = hash.digest('hex');
  if (found !== to.image.sha256) {
    throw new Error(`the new delta makes ${found} instead of ${to.image.sha256}`);
  }
}
