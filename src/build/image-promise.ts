import { createHash } from 'node:crypto';
import type { ImageLayout } from '../image/layout.ts';
import { encodePlan } from '../plan/plan-file.ts';
import type { Promised } from '../repo/pine-metadata.ts';
import { type ContentJob, Contents } from '../repo/threads/contents.ts';
import type { Threads } from '../repo/threads/threads.ts';
import type { SourceContent } from './source-node.ts';

const zeros = Buffer.alloc(64 * 1024);

/** The content of an object, and what it is hashed for besides the image. */
type ImageObject = SourceContent & Omit<ContentJob, 'store'>;

/**
 * Size and SHA-256 of the image: its segments are walked and their bytes hashed on threads, none are
 * kept. Each object is hashed by itself as well. Throws as the contents and their `done` do.
 */
export async function hashImage(
  layout: ImageLayout,
  threads: Threads,
  objectOf: (checksum: string) => ImageObject,
): Promise<Promised> {
  const contents = new Contents(threads, { whole: true });
  let size = 0;
  for (const segment of layout.segments) {
    size += segment.length;
    if (segment.kind === 'range') throw new TypeError('a full plan has no ranges');
    if (segment.kind === 'literal') await contents.addBytes(segment.bytes);
    if (segment.kind === 'zeros') {
      for (let left = segment.length; left > 0; left -= zeros.length) {
        await contents.addBytes(zeros.subarray(0, Math.min(left, zeros.length)));
      }
    }
    if (segment.kind === 'object') {
      const object = objectOf(segment.checksum);
      if (object.size !== segment.length) throw new Error(`not the size of ${segment.checksum}`);
      await contents.add(object.open, object.size, object);
    }
  }
  if (size !== layout.size) throw new Error(`the segments cover ${size} bytes of ${layout.size}`);
  const sha256 = await contents.finish();
  if (sha256 === undefined) throw new Error('the whole was to be hashed');
  return { size, sha256 };
}

/** Size and SHA-256 of the plan's file. */
export function hashPlan(layout: ImageLayout): Promised {
  const hash = createHash('sha256');
  let size = 0;
  for (const piece of encodePlan(layout)) {
    hash.update(piece);
    size += piece.length;
  }
  return { size, sha256: hash.digest('hex') };
}
