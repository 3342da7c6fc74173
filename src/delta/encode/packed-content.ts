import { InvalidLz4 } from '../../lz4/block-format.ts';
import type { ReadBytes } from '../../lz4/legacy-frame.ts';
import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { mostExpansion } from '../format/delta-format.ts';
import { type Codec, codecOf } from '../recompress/codec.ts';
import { findKernelPayload, type Payload } from '../recompress/kernel-payload.ts';
import type { ImageFile } from './image-files.ts';

/** A compressed part of an image's file; `offset` is in the image. Bytes. */
export interface PackedContent extends Payload {
  readonly contentSize: number;
  /** Fills memory of that size with the content. */
  expandInto(memory: Uint8Array): Promise<void>;
}

/** What is compressed in a file and has at most `longest` bytes decompressed; `undefined` when nothing is known to be. */
export async function findPacked(
  image: PositionedReader,
  file: Pick<ImageFile, 'offset' | 'size'>,
  longest: number,
): Promise<PackedContent | undefined> {
  const inFile: ReadBytes = (position, length) => image.read(file.offset + position, length);
  const payload = await findKernelPayload(inFile, file.size);
  const codec = payload && codecOf(payload.codec);
  if (payload === undefined || codec === undefined) return undefined;
  const offset = file.offset + payload.offset;
  const read: ReadBytes = (position, length) => image.read(offset + position, length);
  const contentSize = await measure(codec, read, payload.size, longest);
  // A delta could not say more of it.
  if (contentSize === undefined || contentSize > (mostExpansion / 2) * payload.size)
    return undefined;
  const expandInto = async (memory: Uint8Array): Promise<void> => {
    let at = 0;
    for await (const piece of codec.expand(read, payload.size)) {
      memory.set(piece, at);
      at += piece.length;
    }
  };
  return { ...payload, offset, contentSize, expandInto };
}

async function measure(
  codec: Codec,
  read: ReadBytes,
  size: number,
  longest: number,
): Promise<number | undefined> {
  let made = 0;
  try {
    for await (const piece of codec.expand(read, size)) {
      made += piece.length;
      if (made > longest) return undefined;
    }
  } catch (error) {
    if (error instanceof InvalidLz4) return undefined;
    throw error;
  }
  return made > 0 ? made : undefined;
}

/** Whether compressing the content again gives the very bytes that are there. */
export async function comesOutSame(
  image: PositionedReader,
  { codec: number, offset, size, contentSize, parameters }: PackedContent,
): Promise<boolean> {
  const codec = codecOf(number);
  if (codec?.parameterCount(contentSize) !== parameters.length) return false;
  const read: ReadBytes = (position, length) => image.read(offset + position, length);
  let at = 0;
  try {
    for await (const piece of codec.compress(codec.expand(read, size), contentSize, parameters)) {
      if (at + piece.length > size) return false;
      if (Buffer.compare(await read(at, piece.length), piece) !== 0) return false;
      at += piece.length;
    }
  } catch (error) {
    if (error instanceof InvalidLz4) return false;
    throw error;
  }
  return at === size;
}
