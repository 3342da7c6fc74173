import { legacyReadSize, type ReadBytes } from '../../lz4/legacy-frame.ts';
import { lz4Legacy } from './lz4-legacy.ts';

/** No more is read at a time to be decompressed. */
export const expandReadSize = legacyReadSize;

/** A way in which content is compressed, which gives the very same bytes each time. */
export interface Codec {
  /** How many numbers the delta has for it, by the bytes of the content. */
  parameterCount(contentSize: number): number;
  /** What `size` bytes decompress to, in pieces, each good until the next is asked for. Throws InvalidLz4. */
  expand(read: ReadBytes, size: number): AsyncIterable<Uint8Array>;
  /** The compressed bytes of `size` bytes, likewise. */
  compress(
    content: AsyncIterable<Uint8Array>,
    size: number,
    parameters: readonly number[],
  ): AsyncIterable<Uint8Array>;
}

/** By their numbers in a delta. */
const codecs: Readonly<Record<number, Codec>> = { 1: lz4Legacy };

/** `undefined` for a number that is not known. */
export function codecOf(number: number): Codec | undefined {
  return codecs[number];
}
