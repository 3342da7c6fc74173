import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { ObjectSource } from './object-source.ts';
import { corruptPlan } from './plan-format.ts';
import type { Segment } from './segment.ts';

/** Objects up to this size are kept until the next one is read, in bytes. */
const keptObject = 4 * 1024 * 1024;

type Placed = Segment & { readonly start: number };

/**
 * The image that a plan makes, to be read by position before anybody has written it: an object is fetched when a byte of
 * it is asked for. Holds where the segments lie, and the literals: the image's own tables.
 */
export async function planReader(
  segments: AsyncIterable<Segment>,
  objects: ObjectSource,
  base: PositionedReader,
): Promise<PositionedReader> {
  const placed: Placed[] = [];
  let size = 0;
  for await (const segment of segments) {
    placed.push({ ...segment, start: size });
    size += segment.length;
  }
  let kept: { checksum: string; bytes: Buffer } | undefined;

  const readObject = async (
    { checksum, length }: Extract<Segment, { kind: 'object' }>,
    from: number,
    to: number,
  ): Promise<Buffer> => {
    if (kept?.checksum === checksum) return kept.bytes.subarray(from, to);
    const whole = length <= keptObject;
    const bytes = await collect(
      objects.open(checksum, length),
      whole ? 0 : from,
      whole ? length : to,
    );
    if (!whole) return bytes;
    kept = { checksum, bytes };
    return bytes.subarray(from, to);
  };

  const readPart = async (segment: Placed, from: number, to: number): Promise<Buffer> => {
    switch (segment.kind) {
      case 'zeros':
        return Buffer.alloc(to - from);
      case 'literal':
        return Buffer.from(segment.bytes.subarray(from, to));
      case 'range':
        return base.read(segment.offset + from, to - from);
      case 'object':
        return readObject(segment, from, to);
    }
  };

  return {
    size,
    async read(position, length) {
      if (position < 0 || position + length > size) {
        throw corruptPlan(`an image of ${size} bytes`, `${length} at ${position}`, 'the plan');
      }
      const parts: Buffer[] = [];
      for (
        let index = indexAt(placed, position), at = position;
        at < position + length;
        index += 1
      ) {
        const segment = placed[index];
        if (segment === undefined) break;
        const from = at - segment.start;
        const to = Math.min(segment.length, position + length - segment.start);
        if (to > from) parts.push(await readPart(segment, from, to));
        at = segment.start + to;
      }
      return Buffer.concat(parts);
    },
  };
}

/** The bytes `from` to `to` of a stream. */
async function collect(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  to: number,
): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let done = 0;
  for await (const chunk of chunks) {
    const [start, end] = [Math.max(0, from - done), Math.min(chunk.length, to - done)];
    if (end > start) parts.push(Uint8Array.from(chunk.subarray(start, end)));
    done += chunk.length;
    if (done >= to) break;
  }
  return Buffer.concat(parts);
}

/** The last segment that begins at or before `position`. */
function indexAt(placed: readonly Placed[], position: number): number {
  let [low, high] = [0, placed.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((placed[middle]?.start ?? 0) <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
