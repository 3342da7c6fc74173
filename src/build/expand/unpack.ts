import { createGunzip, createZstdDecompress } from 'node:zlib';
import { PineError } from '../../error.ts';
import type { SourceContent } from '../source-node.ts';
import type { Spool } from '../sources/spool.ts';
import { decompressed } from '../sources/unpacked-stream.ts';
import type { Packing } from './candidates.ts';
import { unpackXz } from './xz.ts';

/** A file that becomes larger than this, and than so many times what it is packed, is a bomb (S9). */
const harmless = 1 << 20;
const mostTimes = 200;
/** Bytes of the largest plain file: several times the largest kernel module there is. */
const largestPlain = 512 << 20;

const unpackers: Record<
  Packing,
  (source: AsyncIterable<Uint8Array>, where: string) => AsyncIterable<Uint8Array>
> = {
  gz: (source, where) => decompressed(source, createGunzip, where),
  zst: (source, where) => decompressed(source, createZstdDecompress, where),
  xz: unpackXz,
};

/**
 * Unpacks a content into a spool, in constant memory. Gives the reason when it is damaged or beyond all
 * measure. Throws PROGRAM_MISSING for xz, and as the content does.
 */
export async function unpackBounded(
  content: SourceContent,
  packing: Packing,
  spool: Spool,
  where: string,
): Promise<SourceContent | string> {
  if (content.size === 0) return 'it is empty';
  const limit = Math.min(largestPlain, Math.max(harmless, content.size * mostTimes));
  try {
    return await spool.add(bounded(unpackers[packing](content.open(), where), limit));
  } catch (error) {
    if (error instanceof TooLarge) return error.message;
    if (!(error instanceof PineError) || error.code !== 'CORRUPT_COMPRESSION') throw error;
    return `it can't be unpacked: ${error.details.found}`;
  }
}

class TooLarge extends Error {}

async function* bounded(
  stream: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > limit) throw new TooLarge(`it becomes larger than ${limit} bytes`);
    yield piece;
  }
}
