import { createHash } from 'node:crypto';
import { PineError } from '../error.ts';

/** Bytes at the end of a slot that say what is in it. */
export const trailerSize = 65536;

const magic = Buffer.from('PINESLOT');
const version = 1;
const headerSize = 32;
const digestSize = 32;

/** The most bytes that a commit and its detached metadata may have together. */
export const trailerRoom = trailerSize - headerSize - digestSize;

export interface Trailer {
  /** Bytes of the image at the start of the slot. */
  readonly imageSize: number;
  /** The commit object, as the repository has it. */
  readonly commit: Uint8Array;
  /** Its detached metadata: the signatures. Empty when there is none. */
  readonly detachedMetadata: Uint8Array;
}

/** Encodes the last 64 KiB of a slot (docs/image-format.md). */
export function encodeTrailer({ imageSize, commit, detachedMetadata }: Trailer): Buffer {
  if (commit.length + detachedMetadata.length > trailerRoom) {
    throw new PineError('INPUT_TRAILER_TOO_LARGE', 'a commit is too large for a slot', {
      expected: `commit and detached metadata of at most ${trailerRoom} bytes`,
      found: `${commit.length} and ${detachedMetadata.length} bytes`,
      where: 'the trailer of the slot',
      remedy: 'commit with less metadata or a shorter message',
    });
  }
  const bytes = Buffer.alloc(trailerSize);
  magic.copy(bytes, 0);
  bytes.writeUInt32LE(version, 8);
  bytes.writeUInt32LE(commit.length, 12);
  bytes.writeUInt32LE(detachedMetadata.length, 16);
  bytes.writeUIntLE(imageSize, 24, 6);
  bytes.set(commit, headerSize);
  bytes.set(detachedMetadata, headerSize + commit.length);
  digestOf(bytes).copy(bytes, trailerSize - digestSize);
  return bytes;
}

/**
 * Reads a trailer. `undefined` when there is none: the slot was never written. Throws
 * CORRUPT_TRAILER when there is one that is damaged.
 */
export function decodeTrailer(trailer: Uint8Array): Trailer | undefined {
  const bytes = Buffer.from(trailer.buffer, trailer.byteOffset, trailer.byteLength);
  if (bytes.length !== trailerSize) {
    throw corrupt(`${trailerSize} bytes`, `${bytes.length} bytes`);
  }
  if (!bytes.subarray(0, magic.length).equals(magic)) return undefined;
  const digest = digestOf(bytes);
  if (!digest.equals(bytes.subarray(trailerSize - digestSize))) {
    throw corrupt(digest.toString('hex'), bytes.toString('hex', trailerSize - digestSize));
  }
  if (bytes.readUInt32LE(8) !== version) {
    throw corrupt(`version ${version}`, `version ${bytes.readUInt32LE(8)}`);
  }
  const commitEnd = headerSize + bytes.readUInt32LE(12);
  const detachedEnd = commitEnd + bytes.readUInt32LE(16);
  if (detachedEnd > headerSize + trailerRoom) {
    throw corrupt(`at most ${trailerRoom} bytes of content`, `${detachedEnd - headerSize} bytes`);
  }
  return {
    imageSize: bytes.readUIntLE(24, 6),
    commit: bytes.subarray(headerSize, commitEnd),
    detachedMetadata: bytes.subarray(commitEnd, detachedEnd),
  };
}

/** SHA-256 of all that is before the digest itself. */
function digestOf(trailer: Buffer): Buffer {
  return createHash('sha256').update(trailer.subarray(0, -digestSize)).digest();
}

function corrupt(expected: string, found: string): PineError {
  return new PineError('CORRUPT_TRAILER', 'the trailer of a slot is damaged', {
    expected,
    found,
    where: `the last ${trailerSize} bytes of the slot`,
    remedy: 'write the slot again: pinectl upgrade',
  });
}
