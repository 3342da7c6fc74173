import { createHash } from 'node:crypto';
import type { Transform } from 'node:stream';
import { constants, createBrotliDecompress, createZstdDecompress } from 'node:zlib';
import { PineError } from '../../error.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import {
  type Compression,
  hashSize,
  mostWindowBits,
  pieceSize,
  type StreamName,
  streamNames,
} from '../format/delta-format.ts';
import type { DeltaHeader } from '../format/header.ts';
import { readDeltaStart, type Signers } from './delta-start.ts';
import { StreamReader } from './stream-reader.ts';

/** A delta that is opened for reading: what it is from and to, and its streams. */
export interface DeltaFile {
  readonly header: DeltaHeader;
  /** Name of the key that signed it; `undefined` when that was not asked for. */
  readonly signedBy: string | undefined;
  /** How many signatures it has, right or wrong. */
  readonly signatures: number;
  /** What to call it in messages. */
  readonly name: string;
  /** Reads all of it, and throws CORRUPT_DELTA when a piece is not what its hash says. */
  check(): Promise<void>;
  /** One of its streams, decompressed: each piece is checked before it is. */
  stream(name: StreamName): StreamReader;
}

/**
 * Opens a delta that is there as a whole.
 *
 * Throws CORRUPT_DELTA, TRUST_NO_SIGNATURE, TRUST_UNKNOWN_KEY; the streams throw CORRUPT_DELTA.
 */
export async function openDelta(
  file: PositionedReader,
  keys: Signers,
  name: string,
): Promise<DeltaFile> {
  const { header, payload, size, ...signed } = await readDeltaStart(file, keys, name);
  if (size !== file.size) {
    throw corruptDelta(`${size} bytes by its header`, `${file.size} bytes`, name);
  }
  const compressed = (stream: StreamName): AsyncGenerator<Buffer> => {
    let at = payload;
    for (const other of streamNames.slice(0, streamNames.indexOf(stream))) {
      at += header.streams[other].size;
    }
    return checkedPieces(file, header, stream, at, `${name}, the ${stream}`);
  };
  return {
    header,
    ...signed,
    name,
    async check() {
      for (const stream of streamNames) {
        for await (const _ of compressed(stream)) {
          // Each is checked on its way.
        }
      }
    },
    stream(stream) {
      const where = `${name}, the ${stream}`;
      const mostBits = mostWindowBits(header.from.image.size);
      const { compression, plainSize } = header.streams[stream];
      const plain = decompress(compressed(stream), compression, mostBits, where);
      return new StreamReader(plain, plainSize, where);
    },
  };
}

/** S5: no byte of a piece goes on before its hash was right. Each is good until the next is asked for. */
async function* checkedPieces(
  file: PositionedReader,
  header: DeltaHeader,
  stream: StreamName,
  start: number,
  where: string,
): AsyncGenerator<Buffer> {
  const { size, hashes } = header.streams[stream];
  // One for all: they live so long that V8 would take them for old, and leave them lying (S9).
  const memory = Buffer.allocUnsafe(Math.min(pieceSize, size));
  for (let position = 0, piece = 0; position < size; position += pieceSize, piece++) {
    const length = Math.min(pieceSize, size - position);
    const bytes = await file.read(start + position, length, memory);
    const expected = hashes.subarray(piece * hashSize, (piece + 1) * hashSize);
    const found = createHash('sha256').update(bytes).digest();
    if (!found.equals(expected)) {
      const [right, wrong] = [expected, found].map((hash) => `SHA-256 ${hash.toString('hex')}`);
      throw corruptDelta(`${right}, as the header says`, `${wrong}`, `${where}, piece ${piece}`);
    }
    yield bytes;
  }
}

/** A chunk is made while the one before it is used; no more are kept (S9). */
const chunks = { chunkSize: 32768, readableHighWaterMark: 1 };

/** S9: it refuses a larger window by itself. */
function zstdDecompress(mostBits: number) {
  return createZstdDecompress({
    ...chunks,
    params: { [constants.ZSTD_d_windowLogMax]: mostBits },
  });
}

async function* decompress(
  compressed: AsyncIterable<Buffer>,
  compression: Compression,
  mostBits: number,
  where: string,
): AsyncGenerator<Uint8Array> {
  const isBrotli = compression === 'brotli';
  const decoder = isBrotli ? createBrotliDecompress(chunks) : zstdDecompress(mostBits);
  const pieces = isBrotli ? checkWindow(compressed, mostBits, where) : compressed;
  void feed(decoder, pieces);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    if (error instanceof PineError) throw error;
    throw corruptDelta(`a stream that ${compression} can decompress`, String(error), where);
  } finally {
    decoder.destroy();
  }
}

/** Writes each piece when the one before it is used up: they share their memory. Errors arrive where the decoder is read. */
async function feed(decoder: Transform, pieces: AsyncIterable<Buffer>): Promise<void> {
  try {
    for await (const piece of pieces) {
      await new Promise<void>((resolve, reject) => {
        decoder.write(piece, (error) => (error ? reject(error) : resolve()));
      });
    }
    decoder.end();
  } catch (error) {
    decoder.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

/** S9: what the decoder would take for a stream shows in its first byte (RFC 7932, section 9.1). */
async function* checkWindow(
  compressed: AsyncIterable<Buffer>,
  mostBits: number,
  where: string,
): AsyncGenerator<Buffer> {
  let isFirst = true;
  for await (const piece of compressed) {
    const bits = isFirst ? windowBits(piece[0] ?? 0) : 0;
    if (bits > mostBits) {
      throw corruptDelta(`a window of at most ${mostBits} bits`, `${bits} bits`, where);
    }
    isFirst = false;
    yield piece;
  }
}

function windowBits(first: number): number {
  if ((first & 1) === 0) return 16;
  const high = (first >> 1) & 7;
  if (high !== 0) return 17 + high;
  const low = (first >> 4) & 7;
  // 1 is reserved, and begins the large windows of brotli's own extension.
  if (low === 1) return 62;
  return low === 0 ? 17 : 8 + low;
}
