import { pipeline } from 'node:stream';
import { createInflateRaw, inflateRawSync } from 'node:zlib';
import { PineError } from '../error.ts';
import {
  decodeFileHeader,
  fileObjectHash,
  headerLength,
  headerPrefix,
  isLinkHeader,
} from '../repo/file-header.ts';
import { PrefixReader } from './prefix-reader.ts';

/** Extended attributes that fit a header of this size fit any file system; bounds what is held (S9). */
export const longestHeader = 1024 * 1024;
/** Deflated content up to this size is inflated at once: cheaper than a stream for most files of a root. */
const smallContent = 64 * 1024;

/** The most bytes that the .filez of a file of `length` bytes can have: deflate adds little at worst. */
export function fileObjectLimit(length: number): number {
  return headerPrefix + longestHeader + length + Math.floor(length / 16) + 4096;
}

/**
 * The plain content of a .filez that comes as a stream: exactly `length` bytes whose header and
 * content have the checksum, or CORRUPT_OBJECT at the latest at its end.
 */
export async function* readFileObject(
  stream: AsyncIterable<Uint8Array>,
  object: { checksum: string; length: number; where: string },
): AsyncGenerator<Uint8Array> {
  const { checksum, length, where } = object;
  const input = new PrefixReader(stream);
  try {
    const headerSize = headerLength(await input.take(headerPrefix), where);
    if (headerSize > longestHeader) {
      throw corrupt(where, `a header of at most ${longestHeader} bytes`, `${headerSize} bytes`);
    }
    const headerBytes = await input.take(headerSize);
    if (headerBytes.length < headerSize) throw corrupt(where, 'a whole header', 'an early end');
    const header = decodeFileHeader(headerBytes, where);
    if (isLinkHeader(header)) throw corrupt(where, 'a file', 'a symbolic link');
    if (header.size !== length) throw corrupt(where, `${length} bytes`, `${header.size} bytes`);
    const hash = fileObjectHash(header);
    let done = 0;
    for await (const piece of inflate(input, length, where)) {
      done += piece.length;
      // S5: a few bytes of deflate can become gigabytes.
      if (done > length) throw corrupt(where, `${length} bytes`, 'more');
      hash.update(piece);
      yield piece;
    }
    if (done < length) throw corrupt(where, `${length} bytes`, `${done}`);
    const found = hash.digest('hex');
    if (found !== checksum) throw corrupt(where, `checksum ${checksum}`, found);
  } finally {
    await input.close();
  }
}

async function* inflate(
  input: PrefixReader,
  length: number,
  where: string,
): AsyncGenerator<Uint8Array> {
  try {
    const start = length <= smallContent ? await input.take(smallContent) : Buffer.alloc(0);
    if (start.length > 0 && start.length < smallContent) {
      yield inflateRawSync(start, { maxOutputLength: length + 1 });
    } else yield* inflateStream(start, input);
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (!code.startsWith('Z_') && code !== 'ERR_BUFFER_TOO_LARGE') throw error;
    throw corrupt(where, `deflated content of ${length} bytes`, message);
  }
}

async function* inflateStream(start: Buffer, input: PrefixReader): AsyncGenerator<Uint8Array> {
  const inflater = createInflateRaw({ chunkSize: 64 * 1024 });
  const deflated = async function* () {
    if (start.length > 0) yield start;
    yield* input.rest();
  };
  // An error of either side destroys the inflater with it, and so comes out of the loop.
  pipeline(deflated, inflater, () => {});
  for await (const piece of inflater) yield piece as Buffer;
}

function corrupt(where: string, expected: string, found: string): PineError {
  return new PineError('CORRUPT_OBJECT', 'a file object is not what its name says', {
    expected,
    found,
    where,
    remedy: 'run `pinectl fsck` on the repository it comes from',
  });
}
