import type { PositionedReader } from '../ports/positioned-reader.ts';
import { corruptPlan, type PlanShape, recordSize } from './plan-format.ts';
import { decodeRecord, type StoredRecord } from './record.ts';

/**
 * The record of the segment that has byte `position` of the image, found by halving: records lie in the order of their
 * positions. `reader` should cache. Throws CORRUPT_PLAN when none has it.
 */
export async function recordAt(
  reader: PositionedReader,
  { segments, imageSize }: PlanShape,
  position: number,
): Promise<StoredRecord> {
  let [low, high] = [0, segments];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const bytes = await reader.read(recordSize * (1 + middle), recordSize);
    const record = decodeRecord(bytes, `segment ${middle}`);
    if (position < record.position) high = middle;
    else if (position >= record.position + record.length) low = middle + 1;
    else return record;
  }
  throw corruptPlan(`a segment with byte ${position} of ${imageSize}`, 'none', 'the records');
}
