import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { type BrotliOptions, brotliCompress, constants, zstdCompress } from 'node:zlib';
import {
  type Compression,
  hashSize,
  mostWindowBits,
  pieceSize,
  type StreamName,
  streamNames,
} from '../format/delta-format.ts';
import { type DeltaEnd, encodeHeader, type StreamShape } from '../format/header.ts';
import type { DeltaSinks } from './sinks.ts';

const [compressBrotli, compressZstd] = [promisify(brotliCompress), promisify(zstdCompress)];
/** How much is done to make a delta small. */
export type Effort = 'usual' | 'best';

/**
 * Brotli's best is slow: 10 takes a third to a half of the time for at most 2 % more bytes, 9 a tenth to a fiftieth for 3 to 12 %. So the
 * longer a stream, the less is done: streams of up to so many bytes, and the quality.
 */
const qualities: Readonly<
  Record<Effort, readonly (readonly [longest: number, quality: number])[]>
> = {
  usual: [[2 << 20, 10]],
  best: [
    [256 << 10, 11],
    [32 << 20, 10],
  ],
};
const leastQuality = 9;
/** Unless it is to be the best, a longer stream of a delta is left to zstd: a fifth of the time, for 1 to 5 % more bytes. */
const longestBrotli = 64 << 10;
const zstdLevel = 19;

/** A delta without signatures: what is to be signed, and what follows. */
export interface UnsignedDelta {
  readonly header: Buffer;
  readonly payload: readonly Uint8Array[];
}

/** Compresses the streams, each by itself, and makes the header that tells of them. */
export async function compressDelta(
  from: DeltaEnd,
  to: DeltaEnd,
  sinks: DeltaSinks,
  effort: Effort = 'usual',
): Promise<UnsignedDelta> {
  const payload: Buffer[] = [];
  const shapes = new Map<StreamName, StreamShape>();
  for (const name of streamNames) {
    const bytes = name === 'plan' ? sinks.planBytes() : sinks[name].bytes;
    const most = mostWindowBits(from.image.size);
    const [compression, compressed] = await compressStream(bytes, effort, most);
    payload.push(compressed);
    const hashes = hashPieces(compressed);
    shapes.set(name, { compression, plainSize: bytes.length, size: compressed.length, hashes });
  }
  const shape = (name: StreamName): StreamShape => {
    const found = shapes.get(name);
    if (found === undefined) throw new TypeError(`no stream ${name}`);
    return found;
  };
  const header = encodeHeader({
    version: sinks.version,
    from: { commit: from.commit, image: from.image },
    to: { commit: to.commit, image: to.image },
    scratch: sinks.scratch,
    streams: {
      plan: shape('plan'),
      control: shape('control'),
      runs: shape('runs'),
      differences: shape('differences'),
      literals: shape('literals'),
    },
  });
  return { header, payload };
}

async function compressStream(
  bytes: Uint8Array,
  effort: Effort,
  mostBits: number,
): Promise<[compression: Compression, compressed: Buffer]> {
  const { length } = bytes;
  if (effort === 'best' || length <= longestBrotli) {
    return ['brotli', await compressBrotli(bytes, brotliOptions(length, effort, mostBits))];
  }
  const params = {
    [constants.ZSTD_c_compressionLevel]: zstdLevel,
    [constants.ZSTD_c_windowLog]: windowBits(length, mostBits),
  };
  return ['zstd', await compressZstd(bytes, { params, pledgedSrcSize: length })];
}

/** How a stream of so many bytes is compressed. */
export function brotliOptions(length: number, effort: Effort, mostBits: number): BrotliOptions {
  const found = qualities[effort].find(([longest]) => length <= longest);
  return {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: found?.[1] ?? leastQuality,
      [constants.BROTLI_PARAM_LGWIN]: windowBits(length, mostBits),
      [constants.BROTLI_PARAM_SIZE_HINT]: length,
    },
  };
}

function windowBits(length: number, most: number): number {
  return Math.min(most, Math.max(10, Math.ceil(Math.log2(length + 1))));
}

function hashPieces(bytes: Uint8Array): Buffer {
  const hashes = Buffer.alloc(hashSize * Math.ceil(bytes.length / pieceSize));
  for (let at = 0, piece = 0; at < bytes.length; at += pieceSize, piece++) {
    const hash = createHash('sha256')
      .update(bytes.subarray(at, at + pieceSize))
      .digest();
    hash.copy(hashes, piece * hashSize);
  }
  return hashes;
}
