import { createHash } from 'node:crypto';
import type { Digest } from '../image/digest.ts';
import type { Progress } from '../ports/progress.ts';
import { imageBytes } from './image-bytes.ts';
import type { ObjectSource } from './object-source.ts';
import type { Segment } from './segment.ts';

/** Size and SHA-256 of the image that a full plan makes, for its commit's metadata. Writes nothing. */
export async function imageDigest(
  { size, segments }: { readonly size: number; readonly segments: Iterable<Segment> },
  objects: ObjectSource,
  progress?: Progress,
): Promise<Digest> {
  const hash = createHash('sha256');
  let done = 0;
  for await (const bytes of imageBytes({ segments, objects })) {
    hash.update(bytes);
    done += bytes.length;
    progress?.(done, size, 'hashing the image');
  }
  return { size: done, sha256: hash.digest('hex') };
}
