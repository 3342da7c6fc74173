import { bodyReadSize } from '../../gzip/expand-body.ts';
import { InvalidGzip } from '../../gzip/invalid-gzip.ts';
import { InvalidLz4 } from '../../lz4/invalid-lz4.ts';
import { legacyReadSize } from '../../lz4/legacy-frame.ts';
import type { ReadBytes } from '../../ports/read-bytes.ts';
import { codecNumber } from '../format/delta-format.ts';
import { gzipBody } from './gzip-body.ts';
import { lz4Legacy } from './lz4-legacy.ts';

/** No more is read at a time to be decompressed. */
export const expandReadSize = Math.max(legacyReadSize, bodyReadSize);

/** A part of a file that is compressed. Bytes. */
export interface Payload {
  readonly codec: number;
  readonly offset: number;
  readonly size: number;
  /** What the codec may need beside the content to make it again, the likeliest first. */
  readonly ways: readonly (readonly number[])[];
}

/** A way in which content is compressed, which gives the very same bytes each time. */
export interface Codec {
  /** How many numbers the delta has for it, by the bytes of the content. */
  parameterCount(contentSize: number): number;
  /** The lowest version of the format that has these. */
  versionFor(parameters: readonly number[]): number;
  /** What `size` bytes decompress to, in pieces, each good until the next is asked for. Throws what `isInvalid` knows. */
  expand(read: ReadBytes, size: number): AsyncIterable<Uint8Array>;
  /** The compressed bytes of `size` bytes, likewise. */
  compress(
    content: AsyncIterable<Uint8Array>,
    size: number,
    parameters: readonly number[],
  ): AsyncIterable<Uint8Array>;
}

/** By their numbers in a delta. */
const codecs: Readonly<Record<number, Codec>> = {
  [codecNumber.lz4Legacy]: lz4Legacy,
  [codecNumber.gzipBody]: gzipBody,
};

/** `undefined` for a number that is not known. */
export function codecOf(number: number): Codec | undefined {
  return codecs[number];
}

/** Whether an error says that a codec was given what it is not for. */
export function isInvalid(error: unknown): error is Error {
  return error instanceof InvalidLz4 || error instanceof InvalidGzip;
}
