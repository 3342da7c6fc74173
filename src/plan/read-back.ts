import { createHash } from 'node:crypto';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Progress } from '../ports/progress.ts';
import { ReadAhead } from './read-ahead.ts';

/** Reads the first `size` bytes of a slot or file and hashes them. */
export async function hashImage(
  reader: PositionedReader,
  size: number,
  progress?: Progress,
): Promise<Digest> {
  const hash = createHash('sha256');
  let done = 0;
  for await (const bytes of new ReadAhead().read(reader, 0, size)) {
    hash.update(bytes);
    done += bytes.length;
    progress?.(done, size, 'reading the image back');
  }
  return { size, sha256: hash.digest('hex') };
}

/** Reads an image back and throws CORRUPT_IMAGE when it is not the one that was promised (S2). */
export async function verifyImage(
  reader: PositionedReader,
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
