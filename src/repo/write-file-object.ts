import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { PineError } from '../error.ts';
import { deflateBlocks, deflateWhole } from './deflate-blocks.ts';
import { encodeFileHeader, type FileHeader, fileObjectHash } from './file-header.ts';

/** Contents up to this size are deflated at once; larger ones in blocks, on all threads (S9). */
export const smallFile = 256 * 1024;

/**
 * Writes a .filez to a new file at `path`, not durably. Throws INPUT_FILE_CHANGED when the content's
 * checksum is no longer `checksum`: what is stored is always what its name says.
 */
export async function writeFileObject(
  path: string,
  checksum: string,
  header: FileHeader,
  content: AsyncIterable<Uint8Array>,
): Promise<void> {
  const start = encodeFileHeader(header);
  const hash = fileObjectHash(header);
  if (header.size <= smallFile) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    const plain = Buffer.concat(pieces);
    check(hash.update(plain).digest('hex'), checksum, path);
    const deflated = await deflateWhole(plain);
    writeFileSync(path, Buffer.concat([start, deflated]), { flag: 'wx' });
    return;
  }
  const hashed = async function* () {
    for await (const piece of content) {
      hash.update(piece);
      yield piece;
    }
  };
  const file = await open(path, 'wx');
  try {
    await file.writeFile(start);
    for await (const deflated of deflateBlocks(hashed())) await file.writeFile(deflated);
  } finally {
    await file.close();
  }
  check(hash.digest('hex'), checksum, path);
}

/** Writes the .filez of a symbolic link: a header and nothing else. */
export function writeLinkObject(path: string, header: FileHeader): void {
  writeFileSync(path, encodeFileHeader(header), { flag: 'wx' });
}

function check(found: string, expected: string, where: string): void {
  if (found === expected) return;
  throw new PineError('INPUT_FILE_CHANGED', 'a file changed while it was committed', {
    expected: `content with the object checksum ${expected}`,
    found,
    where,
    remedy: 'stop what writes to the tree (or commit a snapshot of it), then commit again',
  });
}
