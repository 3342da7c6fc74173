import { createHash } from 'node:crypto';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import type { Progress } from '../ports/progress.ts';

const readSize = 1 << 20;

type Reader = Pick<BlockDevice, 'read'>;

/**
 * The first `size` bytes of a device, in order, in pieces that are good until the next is asked for.
 * The next read is under way while one is used, into the other of two buffers (S9).
 */
export async function* readAhead(reader: Reader, size: number): AsyncIterable<Buffer> {
  const bufferSize = Math.min(readSize, size);
  const buffers = [Buffer.allocUnsafe(bufferSize), Buffer.allocUnsafe(bufferSize)];
  const readAt = (position: number): Promise<Buffer> | undefined => {
    if (position >= size) return undefined;
    const into = buffers[(position / readSize) % 2];
    const bytes = reader.read(position, Math.min(readSize, size - position), into);
    // Whoever awaits it gets the error; if nobody does any more it is no news.
    bytes.catch(() => undefined);
    return bytes;
  };
  let next = readAt(0);
  for (let position = 0; next !== undefined; position += readSize) {
    const bytes = await next;
    next = readAt(position + readSize);
    yield bytes;
  }
}

/** Reads the first `size` bytes of a slot or file and hashes them. */
export async function hashImage(
  reader: Reader,
  size: number,
  progress?: Progress,
): Promise<Digest> {
  const hash = createHash('sha256');
  let done = 0;
  for await (const bytes of readAhead(reader, size)) {
    hash.update(bytes);
    done += bytes.length;
    progress?.(done, size, 'reading the image back');
  }
  return { size, sha256: hash.digest('hex') };
}

/** Reads an image back and throws CORRUPT_IMAGE when it is not the one that was promised (S2). */
export async function verifyImage(
  reader: Reader,
  expected: Digest,
  progress?: Progress,
): Promise<void> {
  const { sha256 } = await hashImage(reader, expected.size, progress);
  if (sha256 === expected.sha256) return;
  throw new PineError('CORRUPT_IMAGE', 'an image is not the one that its commit promises', {
    expected: `SHA-256 ${expected.sha256}`,
    found: `SHA-256 ${sha256}`,
    where: `the first ${expected.size} bytes of the slot`,
    remedy: 'write it again: pinectl upgrade; if it comes back, the medium is failing',
  });
}
