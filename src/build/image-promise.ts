import { createHash } from 'node:crypto';
import type { ImageLayout } from '../image/layout.ts';
import { encodePlan } from '../plan/plan-file.ts';
import { fileObjectPrefix } from '../repo/file-header.ts';
import type { Promised } from '../repo/pine-metadata.ts';
import { Contents } from '../repo/threads/contents.ts';
import type { Threads } from '../repo/threads/threads.ts';
import { checkContent } from '../repo/write-file-object.ts';
import type { SourceFile } from './source-tree.ts';

const zeros = Buffer.alloc(64 * 1024);

/**
 * Size and SHA-256 of the image: its segments are walked and their bytes hashed on threads, none are
 * kept. The contents are checked again: one that changed ends in INPUT_FILE_CHANGED.
 */
export async function hashImage(
  layout: ImageLayout,
  files: ReadonlyMap<string, SourceFile>,
  threads: Threads,
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
      const { checksum, length } = segment;
      const file = files.get(checksum);
      if (file?.content.size !== length) throw new Error(`the tree has no object ${checksum}`);
      await contents.add(file.content.open, length, {
        prefix: fileObjectPrefix({ ...file, target: '' }),
        done: (found) => checkContent(found, checksum, 'the tree'),
      });
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
