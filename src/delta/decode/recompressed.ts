import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import { type Codec, codecOf, expandReadSize, isInvalid } from '../recompress/codec.ts';
import type { Scratch } from '../recompress/scratch.ts';
import { OldFile } from './old-file.ts';
import type { OldWindows } from './old-windows.ts';
import { type PatchShape, type PatchStreams, patchedBytes, readCopies } from './patch-reader.ts';
import type { StreamReader } from './stream-reader.ts';

/** Where the old image is read, and what is decompressed of it: through the same windows, one after the other. */
export interface OldSources {
  readonly windows: OldWindows;
  readonly base: PositionedReader;
  readonly scratch: Scratch;
}

/** A compressed part of the new image, as the plan stream has it. */
export interface RecompressedShape {
  readonly codec: number;
  /** Its bytes. */
  readonly length: number;
  /** What is decompressed of the old image. */
  readonly oldOffset: number;
  readonly oldLength: number;
  /** How the new content is made of the old. */
  readonly patch: PatchShape;
}

/**
 * The bytes of a compressed part: an old one is decompressed into `scratch`, patched, and compressed again. In pieces, each good until the
 * next is asked for; just as many as the plan says. Throws CORRUPT_DELTA.
 */
export async function* recompressedBytes(
  { codec: number, length, oldOffset, oldLength, patch }: RecompressedShape,
  { windows, base, scratch }: OldSources,
  streams: PatchStreams,
  where: string,
): AsyncGenerator<Uint8Array> {
  const codec = knownCodec(number, where);
  const parameters = await readParameters(number, patch.newSize, streams.control, where);
  const copies = await readCopies(patch, streams, where);
  await scratch.clear();
  try {
    const old = new OldFile(windows, oldOffset, oldLength);
    await expandInto(scratch, codec, old, patch.oldSize, where);
    await windows.readFrom({ size: patch.oldSize, read: scratch.read });
    const content = new OldFile(windows, 0, patch.oldSize);
    const patched = patchedBytes(patch, content, copies, streams);
    let made = 0;
    for await (const piece of codec.compress(patched, patch.newSize, parameters)) {
      made += piece.length;
      if (made > length) break;
      yield piece;
    }
    if (made !== length) throw corruptDelta(`${length} bytes compressed`, `${made}`, where);
  } catch (error) {
    if (!isInvalid(error)) throw error;
    throw corruptDelta(`what codec ${number} reads and makes`, error.message, where);
  } finally {
    await windows.readFrom(base);
    await scratch.clear();
  }
}

/** The numbers that stand before the copies: what the codec needs beside the content. Throws CORRUPT_DELTA. */
export async function readParameters(
  codec: number,
  contentSize: number,
  control: StreamReader,
  where: string,
): Promise<number[]> {
  const parameters: number[] = [];
  for (let count = knownCodec(codec, where).parameterCount(contentSize); count > 0; count--) {
    parameters.push(await control.number());
  }
  return parameters;
}

function knownCodec(number: number, where: string): Codec {
  const codec = codecOf(number);
  if (codec !== undefined) return codec;
  throw corruptDelta('a codec that is known', `codec ${number}`, where);
}

async function expandInto(
  scratch: Scratch,
  codec: Codec,
  old: OldFile,
  size: number,
  where: string,
): Promise<void> {
  let made = 0;
  // One for all: what is left over would be taken back too late in little memory.
  const buffer = Buffer.allocUnsafe(expandReadSize);
  const read = (position: number, length: number) => old.read(position, length, buffer);
  for await (const piece of codec.expand(read, old.size)) {
    made += piece.length;
    // S10: there is room for no more.
    if (made > size) break;
    await scratch.add(piece);
  }
  if (made !== size) throw corruptDelta(`${size} bytes decompressed`, `${made}`, where);
  await scratch.finish();
}
