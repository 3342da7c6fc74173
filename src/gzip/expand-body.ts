import { createInflateRaw } from 'node:zlib';
import type { ReadBytes } from '../ports/read-bytes.ts';
import { InvalidGzip } from './invalid-gzip.ts';
import { trailerSize } from './member.ts';

/** So much is read at a time. */
export const bodyReadSize = 64 * 1024;
/** A chunk is made while the one before it is used; no more are kept (S9). */
const chunks = { chunkSize: 32768, readableHighWaterMark: 1 };

/**
 * The content of a gzip member of which `size` bytes are behind the header, in pieces, each good until the next is asked for. Memory: some
 * hundred KiB (S9). Throws InvalidGzip, unless what is deflated ends just before the trailer; that itself is not looked at.
 */
export async function* expandBody(read: ReadBytes, size: number): AsyncGenerator<Uint8Array> {
  const length = size - trailerSize;
  if (length <= 0) throw new InvalidGzip('no room for anything deflated');
  const inflate = createInflateRaw(chunks);
  const feed = async (): Promise<void> => {
    try {
      for (let at = 0; at < length; at += bodyReadSize) {
        const bytes = await read(at, Math.min(bodyReadSize, length - at));
        await new Promise<void>((resolve, reject) => {
          inflate.write(bytes, (error) => (error ? reject(error) : resolve()));
        });
      }
      inflate.end();
    } catch (error) {
      inflate.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  };
  void feed();
  try {
    for await (const chunk of inflate) yield chunk;
  } catch (error) {
    if (isOfZlib(error)) throw new InvalidGzip(error.message);
    throw error;
  } finally {
    inflate.destroy();
  }
  if (inflate.bytesWritten !== length) {
    throw new InvalidGzip(`${length - inflate.bytesWritten} bytes behind what is deflated`);
  }
}

function isOfZlib(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
