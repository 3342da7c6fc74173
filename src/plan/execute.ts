import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import { pagesRoom } from '../ports/page-aligned.ts';
import type { Progress } from '../ports/progress.ts';
import { baseReadSize, type ImageSources, imageBytes } from './image-bytes.ts';
import { bytesAhead } from './pieces.ts';
import { corruptPlan } from './plan-format.ts';
import { ReadAhead } from './read-ahead.ts';
import { SequentialWriter, writeSize } from './sequential-writer.ts';

/**
 * The most bytes of an image that the executor holds at a time, whatever the plan (S9): two write
 * buffers, what is fetched ahead, two reads from the base, and one chunk of an object's stream.
 */
export const executorMemory =
  2 * writeSize + bytesAhead + 2 * pagesRoom(baseReadSize) + baseReadSize;

export interface PlanExecution extends ImageSources {
  /** Bytes of the image, as the signed commit promises them. */
  readonly size: number;
  /** Bytes that the target takes for an image: `writableImageSize` of a slot. */
  readonly room: number;
  /** Read only when resuming. */
  readonly target: Pick<BlockDevice, 'read' | 'write' | 'flush'>;
  readonly progress?: Progress | undefined;
  /** After at least so many bytes the target is flushed, and `save` told what is durable (S6). */
  readonly checkpoint?:
    | { readonly everyBytes: number; save(durableBytes: number): Promise<void> }
    | undefined;
  /** Bytes that an earlier execution of the same plan left durable: read and hashed, not written. */
  readonly resumeAt?: number | undefined;
}

/**
 * Writes an image: in order, in one sequential pass, flushed at the end. Returns the size and
 * SHA-256 of what it wrote; to compare these with the commit's is the caller's part.
 *
 * Throws SPACE_SLOT before the first write when the image does not fit (S10), CORRUPT_PLAN when the
 * segments are not `size` bytes, and what sources and target throw. It can be cut and run again (S7).
 */
export async function executePlan(execution: PlanExecution): Promise<Digest> {
  const { size, target, progress, checkpoint, resumeAt = 0 } = execution;
  checkRoom(execution);
  const writer = new SequentialWriter(target);
  try {
    if (resumeAt > 0) {
      const written = { size: resumeAt, read: target.read.bind(target) };
      for await (const bytes of new ReadAhead().read(written, 0, resumeAt)) {
        writer.skip(bytes);
        progress?.(writer.position, size, 'reading what was written before');
      }
    }
    let saved = resumeAt;
    for await (const bytes of imageBytes(execution, resumeAt)) {
      if (bytes.length > size - writer.position) throw wrongSize(size, 'more');
      await writer.append(bytes);
      progress?.(writer.position, size, 'writing the image');
      if (checkpoint !== undefined && writer.written - saved >= checkpoint.everyBytes) {
        saved = writer.written;
        await writer.drain();
        await target.flush(); // S6: durable before it is called so
        await checkpoint.save(saved);
      }
    }
    if (writer.position !== size) throw wrongSize(size, `${writer.position} bytes`);
    await writer.finish();
    await target.flush();
    return { size, sha256: writer.digest() };
  } finally {
    // The target must not be closed under a write.
    await writer.settle();
  }
}

function checkRoom({ size, room, resumeAt = 0 }: PlanExecution): void {
  if (size > room) {
    throw new PineError('SPACE_SLOT', 'the image does not fit into the slot', {
      expected: `at most ${room} bytes`,
      found: `${size} bytes, ${size - room} too many`,
      where: 'the slot to be written',
      remedy: 'commit a smaller tree, or install again with larger slots',
    });
  }
  if (!Number.isInteger(resumeAt) || resumeAt < 0 || resumeAt > size) {
    throw new RangeError(`cannot resume at byte ${resumeAt} of ${size}`);
  }
}

function wrongSize(size: number, found: string): PineError {
  return corruptPlan(`segments of ${size} bytes in all`, found, 'the sum of all segments');
}
