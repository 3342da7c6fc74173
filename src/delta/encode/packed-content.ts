import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { ReadBytes } from '../../ports/read-bytes.ts';
import { mostExpansion } from '../format/delta-format.ts';
import { type Codec, codecOf, isInvalid, type Payload } from '../recompress/codec.ts';
import { findPayload } from '../recompress/find-payload.ts';
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
  const payload = await findPayload(inFile, file.size);
  const codec = payload && codecOf(payload.codec);
  if (payload === undefined || codec === undefined) return undefined;
  const offset = file.offset + payload.offset;
  const read: ReadBytes = (position, length) => image.read(offset + position, length);
  // A delta could not say more of it.
  const most = Math.min(longest, (mostExpansion / 2) * payload.size);
  const contentSize = await measure(codec, read, payload.size, most);
  if (contentSize === undefined) return undefined;
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
    if (isInvalid(error)) return undefined;
    throw error;
  }
  return made > 0 ? made : undefined;
}

/** The numbers with which compressing the content again gives the very bytes that are there; `undefined` when none are known. */
export async function findWay(
  image: PositionedReader,
  packed: PackedContent,
): Promise<readonly number[] | undefined> {
  for (const way of packed.ways) if (await comesOutSame(image, packed, way)) return way;
  return undefined;
}

async function comesOutSame(
  image: PositionedReader,
  { codec: number, offset, size, contentSize }: PackedContent,
  way: readonly number[],
): Promise<boolean> {
  const codec = codecOf(number);
  if (codec?.parameterCount(contentSize) !== way.length) return false;
  const read: ReadBytes = (position, length) => image.read(offset + position, length);
  let at = 0;
  try {
    for await (const piece of codec.compress(codec.expand(read, size), contentSize, way)) {
      if (at + piece.length > size) return false;
      if (Buffer.compare(await read(at, piece.length), piece) !== 0) return false;
      at += piece.length;
    }
  } catch (error) {
    if (isInvalid(error)) return false;
    throw error;
  }
  return at === size;
}
