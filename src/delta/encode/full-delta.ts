import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress } from 'node:zlib';
import { hashSize, itemKind, mostWindowBits, pieceSize } from '../format/delta-format.ts';
import { type DeltaEnd, decodeHeader, encodeHeader, type StreamShape } from '../format/header.ts';
import { fromNothing } from '../format/nothing.ts';
import { brotliOptions, compressDelta, type Effort, type UnsignedDelta } from './compress.ts';
import { DeltaSinks } from './sinks.ts';

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
  sinks.plan.addNumber(itemKind.literal);
  sinks.plan.addNumber(to.image.size);
  sinks.finish();
  const small = await compressDelta(fromNothing, to, sinks, effort);
  const { streams } = decodeHeader(small.header, 'the new delta');
  const literals = await writeLiterals(image, to.image.size, path, effort);
  const header = encodeHeader({
    ...{ from: fromNothing, to, scratch: 0 },
    streams: { ...streams, literals },
  });
  return { header, payload: small.payload.slice(0, -1) };
}

async function writeLiterals(
  image: AsyncIterable<Uint8Array>,
  plainSize: number,
  path: string,
  effort: Effort,
): Promise<StreamShape> {
  const hashes: Buffer[] = [];
  let size = 0;
  const file = await open(path, 'w');
  try {
    const encoder = createBrotliCompress({
      ...brotliOptions(plainSize, effort, mostWindowBits(0)),
      chunkSize: pieceSize,
    });
    const write = async (compressed: AsyncIterable<Buffer>): Promise<void> => {
      for await (const piece of wholePieces(compressed)) {
        await file.writeFile(piece);
        hashes.push(createHash('sha256').update(piece).digest());
        size += piece.length;
      }
    };
    await pipeline(Readable.from(copies(image)), encoder, write);
  } finally {
    await file.close();
  }
  const compression = 'brotli';
  return { compression, plainSize, size, hashes: Buffer.concat(hashes, hashSize * hashes.length) };
}

/** A stream keeps what it is given; the bytes of an image are good only until the next are asked for. */
async function* copies(image: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const bytes of image) yield Buffer.from(bytes);
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
