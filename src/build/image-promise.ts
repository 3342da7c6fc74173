import { createHash } from 'node:crypto';
import { PineError } from '../error.ts';
import type { ImageLayout } from '../image/layout.ts';
import type { ObjectSource } from '../plan/object-source.ts';
import { encodePlan } from '../plan/plan-file.ts';
import type { Progress } from '../ports/progress.ts';
import { fileObjectHash } from '../repo/file-header.ts';
import type { Promised } from '../repo/pine-metadata.ts';
import { type SourceFile, scratchSize } from './source-tree.ts';

const zeros = Buffer.alloc(64 * 1024);

/** Size and SHA-256 of the image: its segments are walked and their bytes hashed, none are kept. */
export async function hashImage(
  layout: ImageLayout,
  objects: ObjectSource,
  progress: Progress = () => {},
): Promise<Promised> {
  const hash = createHash('sha256');
  let size = 0;
  for (const segment of layout.segments) {
    size += segment.length;
    if (segment.kind === 'range') throw new TypeError('a full plan has no ranges');
    if (segment.kind === 'literal') hash.update(segment.bytes);
    if (segment.kind === 'zeros') {
      for (let left = segment.length; left > 0; left -= zeros.length) {
        hash.update(zeros.subarray(0, Math.min(left, zeros.length)));
      }
    }
    if (segment.kind === 'object') {
      for await (const piece of objects.open(segment.checksum, segment.length)) hash.update(piece);
      progress(size, layout.size, 'Image');
    }
  }
  if (size !== layout.size) throw new Error(`the segments cover ${size} bytes of ${layout.size}`);
  return { size, sha256: hash.digest('hex') };
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

/**
 * The files of a tree as a source of objects, one at a time: a piece is good until the next one is asked
 * for. Contents are checked again: what changed ends in INPUT_FILE_CHANGED.
 */
export function objectsOfTree(files: ReadonlyMap<string, SourceFile>): ObjectSource {
  const scratch = Buffer.allocUnsafe(scratchSize);
  return {
    async *open(checksum, length) {
      const file = files.get(checksum);
      if (file?.content.size !== length) throw new Error(`the tree has no object ${checksum}`);
      const hash = fileObjectHash({ ...file, target: '' });
      for await (const piece of file.content.open(scratch)) {
        hash.update(piece);
        yield piece;
      }
      const found = hash.digest('hex');
      if (found === checksum) return;
      throw new PineError('INPUT_FILE_CHANGED', 'a file changed while it was committed', {
        expected: `content with the object checksum ${checksum}`,
        found,
        where: 'the tree',
        remedy: 'stop what writes to the tree (or commit a snapshot of it), then commit again',
      });
    },
  };
}
