import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress } from 'node:zlib';
import { hashSize, itemKind, mostWindowBits, pieceSize } from '../format/delta-format.ts';
import { type DeltaEnd, decodeHeader, encodeHeader, type StreamShape } from '../format/header.ts';
import { fromNothing } from '../format/nothing.ts';
import { brotliOptions, compressDelta, type Effort, type UnsignedDelta } from './compress.ts';
import { findTables } from './find-tables.ts';
import { DeltaSinks } from './sinks.ts';
import type { TableSink } from './table-sink.ts';

/** Tables are looked for in so many bytes at a time; one that goes beyond is two. */
const windowSize = 4 << 20;

/**
 * Makes the delta that needs no other image: one literal. Its last stream is written to `path`, so that memory does not
 * grow with the image (but for 32 bytes of each 64 KiB); the payload that is returned ends before it.
 */
export async function encodeFull(
  to: DeltaEnd,
  image: AsyncIterable<Uint8Array>,
  path: string,
  effort: Effort = 'usual',
): Promise<UnsignedDelta> {
  const sinks = new DeltaSinks();
  const literals = await writeLiterals(
    withoutTables(image, sinks.tables),
    to.image.size,
    path,
    effort,
  );
  sinks.plan.addNumber(itemKind.literal);
  sinks.plan.addNumber(to.image.size);
  sinks.finish();
  const small = await compressDelta(fromNothing, to, sinks, effort);
  const found = decodeHeader(small.header, 'the new delta');
  const header = encodeHeader({ ...found, streams: { ...found.streams, literals } });
  return { header, payload: small.payload.slice(0, -1) };
}

/** The bytes of an image without the tables of points that are in it. */
async function* withoutTables(
  image: AsyncIterable<Uint8Array>,
  tables: TableSink,
): AsyncGenerator<Uint8Array> {
  const window = new Uint8Array(windowSize);
  let filled = 0;
  for await (const bytes of image) {
    for (let rest = bytes; rest.length > 0; ) {
      const part = rest.subarray(0, windowSize - filled);
      window.set(part, filled);
      filled += part.length;
      rest = rest.subarray(part.length);
      if (filled < windowSize) continue;
      yield* tables.cut(window, findTables(window));
      filled = 0;
    }
  }
  const rest = window.subarray(0, filled);
  yield* tables.cut(rest, findTables(rest));
}

async function writeLiterals(
  image: AsyncIterable<Uint8Array>,
  imageSize: number,
  path: string,
  effort: Effort,
): Promise<StreamShape> {
  const hashes: Buffer[] = [];
  let size = 0;
  let plainSize = 0;
  const file = await open(path, 'w');
  try {
    const encoder = createBrotliCompress({
      ...brotliOptions(imageSize, effort, mostWindowBits(0)),
      chunkSize: pieceSize,
    });
    const write = async (compressed: AsyncIterable<Buffer>): Promise<void> => {
      for await (const piece of wholePieces(compressed)) {
        await file.writeFile(piece);
        hashes.push(createHash('sha256').update(piece).digest());
        size += piece.length;
      }
    };
    /** A stream keeps what it is given; the bytes here are good only until the next are asked for. */
    const copies = async function* (): AsyncGenerator<Buffer> {
      for await (const bytes of image) {
        plainSize += bytes.length;
        yield Buffer.from(bytes);
      }
    };
    await pipeline(Readable.from(copies()), encoder, write);
  } finally {
    await file.close();
  }
  const compression = 'brotli';
  return { compression, plainSize, size, hashes: Buffer.concat(hashes, hashSize * hashes.length) };
}

/** The same bytes in pieces of `pieceSize`, the last one shorter. */
async function* wholePieces(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting = Buffer.alloc(0);
  for await (const chunk of chunks) {
    waiting = Buffer.concat([waiting, chunk]);
    while (waiting.length >= pieceSize) {
      yield waiting.subarray(0, pieceSize);
      waiting = waiting.subarray(pieceSize);
    }
  }
  if (waiting.length > 0) yield waiting;
}
