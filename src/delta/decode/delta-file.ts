import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createBrotliDecompress } from 'node:zlib';
import { PineError } from '../../error.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { type PublicKey, signatureLength } from '../../trust/keys.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import {
  fixedHeaderSize,
  hashSize,
  maxSignatures,
  pieceSize,
  type StreamName,
  streamNames,
} from '../format/delta-format.ts';
import { type DeltaHeader, decodeHeader, headerSize } from '../format/header.ts';
import { StreamReader } from './stream-reader.ts';

/** A delta that is opened for reading: what it is from and to, and its streams. */
export interface DeltaFile {
  readonly header: DeltaHeader;
  /** Name of the key that signed it; `undefined` when that was not asked for. */
  readonly signedBy: string | undefined;
  /** What to call it in messages. */
  readonly name: string;
  /** One of its streams, decompressed: each piece is checked before it is. */
  stream(name: StreamName): StreamReader;
}

/** Whose signature a delta needs; `undefined` for one that this host has made itself. */
export type Signers = readonly PublicKey[] | undefined;

/**
 * Opens a delta. S5: nothing in its header is believed before one of `keys` is found to have signed it.
 *
 * Throws CORRUPT_DELTA, TRUST_UNKNOWN_KEY; the streams throw CORRUPT_DELTA.
 */
export async function openDelta(
  file: PositionedReader,
  keys: Signers,
  name: string,
): Promise<DeltaFile> {
  const start = await readSome(file, 0, fixedHeaderSize, name);
  const size = headerSize(start, name);
  const bytes = await readSome(file, 0, size + 4, name);
  const signatures = await readSignatures(file, size, bytes.readUInt32LE(size), name);
  const signed = bytes.subarray(0, size);
  const signedBy = keys && (await findTrusted(signed, signatures, keys, name));
  const header = decodeHeader(signed, name);
  const starts = streamStarts(header, size + 4 + signatureLength * signatures.length);
  if (starts.end !== file.size) {
    throw corruptDelta(`${starts.end} bytes by its header`, `${file.size} bytes`, name);
  }
  return {
    header,
    signedBy,
    name,
    stream(stream) {
      const { plainSize } = header.streams[stream];
      const at = starts.streams.get(stream) ?? 0;
      const where = `${name}, the ${stream}`;
      const compressed = checkedPieces(file, header, stream, at, where);
      return new StreamReader(decompress(compressed, where), plainSize, where);
    },
  };
}

async function readSome(
  file: PositionedReader,
  position: number,
  length: number,
  name: string,
): Promise<Buffer> {
  if (position + length <= file.size) return file.read(position, length);
  throw corruptDelta(`${length} bytes at ${position}`, `a file of ${file.size} bytes`, name);
}

async function readSignatures(
  file: PositionedReader,
  header: number,
  count: number,
  name: string,
): Promise<Uint8Array[]> {
  if (count > maxSignatures) {
    throw corruptDelta(`at most ${maxSignatures} signatures`, `${count}`, name);
  }
  const bytes = await readSome(file, header + 4, signatureLength * count, name);
  return Array.from({ length: count }, (_, index) =>
    bytes.subarray(signatureLength * index, signatureLength * (index + 1)),
  );
}

async function findTrusted(
  header: Uint8Array,
  signatures: readonly Uint8Array[],
  keys: readonly PublicKey[],
  where: string,
): Promise<string> {
  const { findSigner } = await import('../../trust/verify.ts');
  const signer = await findSigner(header, signatures, keys);
  if (signer !== undefined) return signer.name;
  throw new PineError('TRUST_UNKNOWN_KEY', 'no key that is trusted signed this delta', {
    expected: `a signature of ${keys.map(({ name }) => name).join(' or ') || 'a trusted key'}`,
    found: signatures.length === 0 ? 'no signature' : `${signatures.length} of others, or altered`,
    where,
    remedy: 'make it on the build host with `pinectl delta generate --sign-key KEY`',
  });
}

function streamStarts({ streams }: DeltaHeader, start: number) {
  const starts = new Map<StreamName, number>();
  let end = start;
  for (const name of streamNames) {
    starts.set(name, end);
    end += streams[name].size;
  }
  return { streams: starts, end };
}

/** S5: no byte of a piece goes on before its hash was right. */
async function* checkedPieces(
  file: PositionedReader,
  header: DeltaHeader,
  stream: StreamName,
  start: number,
  where: string,
): AsyncGenerator<Buffer> {
  const { size, hashes } = header.streams[stream];
  for (let position = 0, piece = 0; position < size; position += pieceSize, piece++) {
    const bytes = await file.read(start + position, Math.min(pieceSize, size - position));
    const expected = hashes.subarray(piece * hashSize, (piece + 1) * hashSize);
    if (!createHash('sha256').update(bytes).digest().equals(expected)) {
      throw corruptDelta('a piece with the hash of the header', 'another', `${where}, ${piece}`);
    }
    yield bytes;
  }
}

async function* decompress(
  compressed: AsyncIterable<Buffer>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const decoder = createBrotliDecompress({ chunkSize: 32768 });
  // Errors of either arrive where the decoder is read.
  pipeline(Readable.from(compressed), decoder, () => undefined);
  try {
    for await (const chunk of decoder) yield chunk;
  } catch (error) {
    if (error instanceof PineError) throw error;
    throw corruptDelta('a stream that brotli can decompress', String(error), where);
  } finally {
    decoder.destroy();
  }
}
