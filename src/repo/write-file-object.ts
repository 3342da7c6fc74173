import { createWriteStream, writeFileSync } from 'node:fs';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createDeflateRaw, deflateRaw } from 'node:zlib';
import { PineError } from '../error.ts';
import { encodeFileHeader, type FileHeader, fileObjectHash } from './file-header.ts';

/** The level that ostree uses by default for archives. */
const options = { level: constants.Z_DEFAULT_COMPRESSION } as const;

/** Contents up to this size are deflated at once; larger ones are streamed (S9). */
const smallFile = 1024 * 1024;

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
    const deflated = await promisify(deflateRaw)(plain, options);
    writeFileSync(path, Buffer.concat([start, deflated]), { flag: 'wx' });
    return;
  }
  const target = createWriteStream(path, { flags: 'wx', highWaterMark: 256 * 1024 });
  target.write(start);
  const hashing = new Transform({
    transform(piece: Uint8Array, _, done) {
      hash.update(piece);
      done(null, piece);
    },
  });
  await pipeline(
    Readable.from(content, { objectMode: false, highWaterMark: 256 * 1024 }),
    hashing,
    createDeflateRaw(options),
    target,
  );
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
