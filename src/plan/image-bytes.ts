import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { ObjectSource } from './object-source.ts';
import { fetchAhead, type Piece, piecesFrom } from './pieces.ts';
import { corruptPlan } from './plan-format.ts';
import { ReadAhead } from './read-ahead.ts';
import type { Segment } from './segment.ts';

const zeros = Buffer.alloc(65536);
/** Bytes that one read from the base asks for. */
export const baseReadSize = 256 << 10;

/** What the bytes of an image are made from. */
export interface ImageSources {
  readonly segments: Iterable<Segment> | AsyncIterable<Segment>;
  readonly objects: ObjectSource;
  /** The slot that ranges are of. Not needed by a plan without any. */
  readonly base?: PositionedReader | undefined;
}

/**
 * The bytes of an image from byte `from` on, in order, in pieces that are good until the next is
 * asked for. Holds no more than a constant amount at a time (S9).
 *
 * Throws CORRUPT_PLAN for a range outside the base and CORRUPT_OBJECT for an object of another length.
 */
export async function* imageBytes(sources: ImageSources, from = 0): AsyncIterable<Uint8Array> {
  const { segments, objects, base } = sources;
  const ahead = base === undefined ? undefined : new ReadAhead(baseReadSize);
  for await (const piece of fetchAhead(piecesFrom(segments, from), objects)) {
    const { segment, skip } = piece;
    const length = segment.length - skip;
    switch (segment.kind) {
      case 'zeros':
        for (let left = length; left > 0; left -= zeros.length) {
          yield zeros.subarray(0, Math.min(left, zeros.length));
        }
        break;
      case 'literal':
        yield segment.bytes.subarray(skip);
        segment.giveBack?.();
        break;
      case 'range':
        yield* readRange(base, segment.offset + skip, length, ahead);
        break;
      case 'object':
        yield* readObject(objects, piece, segment);
    }
  }
}

function readRange(
  base: PositionedReader | undefined,
  offset: number,
  length: number,
  ahead: ReadAhead | undefined,
): AsyncIterable<Uint8Array> {
  if (base !== undefined && ahead !== undefined && offset + length <= base.size) {
    return ahead.read(base, offset, length);
  }
  throw corruptPlan(
    `ranges of a base of ${base?.size ?? 0} bytes`,
    `${length} bytes at ${offset}`,
    'a range of the plan',
  );
}

async function* readObject(
  objects: ObjectSource,
  { skip, content }: Piece,
  { checksum, length }: Extract<Segment, { kind: 'object' }>,
): AsyncIterable<Uint8Array> {
  const chunks = content === undefined ? objects.open(checksum, length) : await content;
  let done = 0;
  for await (const chunk of chunks) {
    done += chunk.length;
    if (done > length) break;
    const wanted = Math.min(chunk.length, done - skip);
    if (wanted > 0) yield chunk.subarray(chunk.length - wanted);
  }
  if (done === length) return;
  throw new PineError('CORRUPT_OBJECT', 'an object does not have the length that the plan says', {
    expected: `${length} bytes`,
    found: done > length ? 'more' : `${done} bytes`,
    where: `object ${checksum}`,
    remedy: 'check the repository it comes from: pinectl fsck',
  });
}
