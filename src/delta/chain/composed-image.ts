import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { DeltaFile } from '../decode/delta-file.ts';
import { deltaSegments } from '../decode/delta-segments.ts';
import type { Scratch } from '../recompress/scratch.ts';
import { ExtentMap } from './extent-map.ts';

/** Takes the bytes that a delta makes, in order. */
export type KeepBytes = (bytes: Uint8Array) => Promise<void>;

/**
 * Where every byte of a delta's new image lies when only what it makes is kept (`keep`): the rest is read
 * in the old image when it is needed. So an image between two others takes the room of what changed.
 *
 * Throws CORRUPT_DELTA, INPUT_DELTA_CHAIN. The image is not hashed: what comes out at the end is.
 */
export async function composeImage(
  delta: DeltaFile,
  base: PositionedReader,
  keep: KeepBytes,
  scratch: Scratch,
): Promise<ExtentMap> {
  const map = new ExtentMap();
  let made = 0;
  for await (const segment of deltaSegments(delta, base, scratch)) {
    switch (segment.kind) {
      case 'range':
        map.add('base', segment.offset, segment.length);
        break;
      case 'zeros':
        map.add('zeros', 0, segment.length);
        break;
      case 'literal':
        await keep(segment.bytes);
        map.add('made', made, segment.length);
        made += segment.length;
        break;
      case 'object':
        throw new TypeError('a delta names no objects');
    }
  }
  return map;
}

/** Reads an image of which `base` and `made` have the bytes. */
export function readComposed(
  map: ExtentMap,
  base: PositionedReader,
  made: Pick<PositionedReader, 'read'>,
): PositionedReader {
  return {
    size: map.size,
    async read(position, length, into) {
      if (position < 0 || position + length > map.size) {
        throw new RangeError(`${length} bytes at ${position} are not all in ${map.size}`);
      }
      const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafe(length);
      for (const { kind, start, offset, end } of map.within(position, length)) {
        const part = bytes.subarray(start - position, end - position);
        if (kind === 'zeros') part.fill(0);
        else part.set(await (kind === 'base' ? base : made).read(offset, end - start, part));
      }
      return bytes;
    },
  };
}
