import type { ObjectSource } from './object-source.ts';
import type { Segment } from './segment.ts';

/** At most so many small objects are fetched ahead of what is written, … */
const objectsAhead = 8;
/** … in the next so many segments, … */
const segmentsAhead = 64;
/** … with so many bytes, those of literals included. */
export const bytesAhead = 1 << 20;
/** Literals wait for nothing: with only so many before it a delta's next bytes are not made yet. */
const literalsAhead = 2;
/** Larger objects are streamed when their turn comes: their own bytes hide the latency. */
const smallObject = 128 << 10;

/** A segment, whose first `skip` bytes are not wanted, and its content if it was fetched ahead. */
export interface Piece {
  readonly segment: Segment;
  readonly skip: number;
  readonly content: Promise<Uint8Array[]> | undefined;
}

/** The segments from byte `from` of the image on. The first may begin before it. */
export async function* piecesFrom(
  segments: Iterable<Segment> | AsyncIterable<Segment>,
  from: number,
): AsyncIterable<Piece> {
  let position = 0;
  for await (const segment of segments) {
    const skip = Math.max(0, from - position);
    position += segment.length;
    if (skip < segment.length) yield { segment, skip, content: undefined };
  }
}

/**
 * Begins to fetch the next few small objects while earlier ones are written, so that a remote's
 * latency is paid once for several. What is held is bounded in number and bytes (S9).
 */
export async function* fetchAhead(
  pieces: AsyncIterable<Piece>,
  objects: ObjectSource,
): AsyncIterable<Piece> {
  const queue: Piece[] = [];
  let bytes = 0;
  let begunObjects = 0;
  let literals = 0;
  for await (const piece of pieces) {
    const begun = begin(piece, objects);
    queue.push(begun);
    bytes += heldBytes(begun);
    if (begun.content !== undefined) begunObjects++;
    if (begun.segment.kind === 'literal') literals++;
    while (
      begunObjects > objectsAhead ||
      literals > literalsAhead ||
      queue.length > segmentsAhead ||
      bytes > bytesAhead
    ) {
      const next = queue.shift();
      if (next === undefined) break;
      yield next;
      bytes -= heldBytes(next);
      if (next.content !== undefined) begunObjects--;
      if (next.segment.kind === 'literal') literals--;
    }
  }
  yield* queue;
}

function begin(piece: Piece, objects: ObjectSource): Piece {
  const { segment, skip } = piece;
  if (segment.kind !== 'object' || segment.length > smallObject || skip > 0) return piece;
  const content = readAll(objects.open(segment.checksum, segment.length), segment.length);
  // Whoever awaits it gets the error. If another fails first nobody does, and it is no news.
  content.catch(() => undefined);
  return { ...piece, content };
}

async function readAll(stream: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    length += chunk.length;
    // A source that sends more than it promised is caught where lengths are checked (S5).
    if (length > limit) break;
  }
  return chunks;
}

function heldBytes({ segment, content }: Piece): number {
  return segment.kind === 'literal' || content !== undefined ? segment.length : 0;
}
