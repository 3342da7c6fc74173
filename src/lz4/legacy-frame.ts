import type { ReadBytes } from '../ports/read-bytes.ts';
import { BlockCompressor } from './block-compressor.ts';
import { BlockDecoder } from './block-decoder.ts';
import { BlockWindow } from './block-window.ts';
import { InvalidLz4 } from './invalid-lz4.ts';

/** What a legacy frame, which `lz4 -l` makes, begins with. */
export const legacyMagic = 0x184c2102;
const magicSize = 4;
/** Each block has its size in front. */
const blockHead = 4;
/** Bytes that each block of a legacy frame has before compression, but the last one. */
export const legacyBlockSize = 8 << 20;
/** The most bytes that such a block has when it is compressed. */
const longestCompressed = legacyBlockSize + Math.floor(legacyBlockSize / 255) + 16;
/** So much is read at a time. */
export const legacyReadSize = 128 * 1024;

/** The sizes of a legacy frame's blocks as they are compressed. Throws InvalidLz4 unless it is just `size` bytes long. */
export async function legacyBlocks(read: ReadBytes, size: number): Promise<number[]> {
  if (size < magicSize || word(await read(0, magicSize)) !== legacyMagic) {
    throw new InvalidLz4('another magic number');
  }
  const sizes: number[] = [];
  for (let at = magicSize; at < size; ) {
    const length = at + blockHead <= size ? word(await read(at, blockHead)) : 0;
    at += blockHead + length;
    if (length === 0 || length > longestCompressed || at > size) {
      throw new InvalidLz4(`a block of ${length} bytes up to ${at}`);
    }
    sizes.push(length);
  }
  return sizes;
}

/**
 * What a legacy frame of `size` bytes decompresses to, in pieces, each good until the next is asked for.
 * Memory: some hundred KiB (S9). Throws InvalidLz4.
 */
export async function* expandLegacyFrame(
  read: ReadBytes,
  size: number,
): AsyncGenerator<Uint8Array> {
  const decoder = new BlockDecoder(legacyBlockSize);
  let at = magicSize;
  for (const length of await legacyBlocks(read, size)) {
    at += blockHead;
    decoder.enter();
    for (const end = at + length; at < end; at += Math.min(legacyReadSize, end - at)) {
      yield* decoder.decode(await read(at, Math.min(legacyReadSize, end - at)));
    }
    yield decoder.finish();
  }
}

/**
 * The legacy frame that `lz4 -l -9` makes of `size` bytes, in pieces, each good until the next is asked for. `blockSize` tells how many bytes the
 * next block has when it is compressed, which stands before it. Memory: 1.2 MiB, but for what `BlockWindow` says (S9). Throws InvalidLz4 when
 * a block has not so many.
 */
export async function* compressLegacyFrame(
  content: AsyncIterable<Uint8Array>,
  size: number,
  blockSize: () => Promise<number>,
): AsyncGenerator<Uint8Array> {
  const window = new BlockWindow();
  const compressor = new BlockCompressor(window);
  const pieces = content[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  try {
    yield wordBytes(legacyMagic);
    for (let at = 0; at < size; at += legacyBlockSize) {
      window.enter(Math.min(legacyBlockSize, size - at));
      const expected = await blockSize();
      yield wordBytes(expected);
      let made = 0;
      for (const piece of compressor.compress()) {
        if (piece === undefined) {
          rest = await fill(window, rest, pieces);
          continue;
        }
        made += piece.length;
        // No byte too many goes out.
        if (made > expected) break;
        yield piece;
      }
      if (made !== expected) {
        throw new InvalidLz4(`a block of ${expected} bytes that comes out otherwise`);
      }
    }
  } finally {
    await pieces.return?.();
  }
}

/** Adds what is missing in the window, `first` before what comes next, and gives what is left over. */
async function fill(
  window: BlockWindow,
  first: Uint8Array,
  pieces: AsyncIterator<Uint8Array>,
): Promise<Uint8Array> {
  let rest = first;
  while (window.missing > 0) {
    if (rest.length === 0) {
      const { value, done } = await pieces.next();
      if (done) throw new InvalidLz4('content that ends before it should');
      rest = value;
    }
    rest = rest.subarray(window.add(rest));
  }
  return rest;
}

function word(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
}

function wordBytes(number: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, number, true);
  return bytes;
}
