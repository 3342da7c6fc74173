import { Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { PineError } from '../../error.ts';

/** The first bytes of what a stream can be packed with, and what unpacks it. */
const formats = [
  [Buffer.from([0x1f, 0x8b]), createGunzip],
  [Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), createZstdDecompress],
] as const;

const otherFormats = [
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a])],
  ['bzip2', Buffer.from('BZh')],
] as const;

/**
 * Unpacks a stream by its first bytes: gzip, zstd, or as it is. Names of files say nothing.
 * Throws INPUT_COMPRESSION, CORRUPT_COMPRESSION; `where` names the stream.
 */
export async function* unpackedStream(
  source: AsyncIterable<Uint8Array>,
  where: string,
): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let start: Uint8Array = Buffer.of();
  while (start.length < 6) {
    const next = await iterator.next();
    if (next.done) break;
    start = Buffer.concat([start, next.value]);
  }
  const all = again(start, iterator);
  const isPackedAs = (magic: Uint8Array) =>
    Buffer.compare(start.subarray(0, magic.length), magic) === 0;
  const other = otherFormats.find(([, magic]) => isPackedAs(magic));
  if (other !== undefined) {
    throw new PineError('INPUT_COMPRESSION', `${other[0]} can't be unpacked here`, {
      expected: 'a tar as it is, or packed with gzip or zstd',
      found: other[0],
      where,
      remedy: `unpack it on the way: \`${other[0]} -dc FILE | pinectl commit --tree tar=- …\``,
    });
  }
  const unpack = formats.find(([magic]) => isPackedAs(magic))?.[1];
  if (unpack === undefined) return yield* all;
  yield* decompressed(all, unpack, where);
}

/** What a decompressor makes of a stream. Throws CORRUPT_COMPRESSION, and as the stream does. */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  decompressor: () => Transform,
  where: string,
): AsyncGenerator<Uint8Array> {
  const input = Readable.from(source, { objectMode: false });
  const output = decompressor();
  // What goes wrong with the source is told as it is.
  input.on('error', (error) => output.destroy(error));
  try {
    yield* input.pipe(output) as AsyncIterable<Buffer>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!/^(Z_|ZSTD_|ERR_ZSTD)/.test(code ?? '')) throw error;
    throw corruptCompression(message, where);
  } finally {
    input.destroy();
  }
}

/** Packed data that can't be unpacked to its end; `found` is what the decompressor says. */
export function corruptCompression(found: string, where: string): PineError {
  return new PineError('CORRUPT_COMPRESSION', 'packed data is damaged', {
    expected: 'data that can be unpacked to its end',
    found,
    where,
    remedy: 'make the archive again, or fetch it again from where it is whole',
  });
}

async function* again(
  start: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    if (start.length > 0) yield start;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}
