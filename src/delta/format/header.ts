import type { Digest } from '../../image/digest.ts';
import { isChecksum } from '../../repo/object-name.ts';
import { corruptDelta, unknownVersion } from './corrupt-delta.ts';
import {
  type Compression,
  compressions,
  deltaMagic,
  deltaVersions,
  fixedHeaderSize,
  hashSize,
  maxHeaderSize,
  maxPatchSize,
  newestVersion,
  pieceSize,
  type StreamName,
  streamNames,
} from './delta-format.ts';

const scratchPlace = 240;

/** A commit and what its image is. */
export interface DeltaEnd {
  /** 64 hex digits. */
  readonly commit: string;
  readonly image: Digest;
}

/** One of the compressed streams. */
export interface StreamShape {
  readonly compression: Compression;
  /** Bytes when it is decompressed, and in the file. */
  readonly plainSize: number;
  readonly size: number;
  /** SHA-256 of each piece, 32 bytes each. */
  readonly hashes: Uint8Array;
}

/** Everything that is signed of a delta. */
export interface DeltaHeader {
  /** One of `deltaVersions`. */
  readonly version: number;
  readonly from: DeltaEnd;
  readonly to: DeltaEnd;
  /** Bytes that applying it takes on a disk for the time: what is decompressed of the old image. */
  readonly scratch: number;
  readonly streams: Readonly<Record<StreamName, StreamShape>>;
}

export function encodeHeader({ version, from, to, scratch, streams }: DeltaHeader): Buffer {
  const hashes = streamNames.map((name) => streams[name].hashes);
  const header = Buffer.concat([Buffer.alloc(fixedHeaderSize), ...hashes]);
  deltaMagic.copy(header);
  header.writeUInt32LE(version, 8);
  header.writeUInt32LE(header.length, 12);
  header.write(from.commit, 16, 'hex');
  header.write(to.commit, 48, 'hex');
  encodeDigest(header, 80, from.image);
  encodeDigest(header, 120, to.image);
  streamNames.forEach((name, index) => {
    const { compression, plainSize } = streams[name];
    header.writeUIntLE(plainSize, 160 + 16 * index, 6);
    header.writeUInt16LE(compressions.indexOf(compression), 166 + 16 * index);
    header.writeUIntLE(streams[name].size, 168 + 16 * index, 6);
  });
  header.writeUIntLE(scratch, scratchPlace, 6);
  return header;
}

/** How many bytes the header has whose first `fixedHeaderSize` bytes are given. Throws CORRUPT_DELTA. */
export function headerSize(start: Buffer, where: string): number {
  if (start.length < fixedHeaderSize || !start.subarray(0, 8).equals(deltaMagic)) {
    const found = `one that begins with ${JSON.stringify(start.toString('latin1', 0, 8))}`;
    throw corruptDelta(`a file that begins with ${deltaMagic}`, found, where);
  }
  const version = start.readUInt32LE(8);
  if (version < deltaVersions.oldest || version > newestVersion) {
    throw unknownVersion(version, where);
  }
  const size = start.readUInt32LE(12);
  if (size >= fixedHeaderSize && size <= maxHeaderSize) return size;
  throw corruptDelta(`a header of at most ${maxHeaderSize} bytes`, `${size} bytes`, where);
}

/** Reads a whole header, whose signature was checked. Throws CORRUPT_DELTA. */
export function decodeHeader(header: Buffer, where: string): DeltaHeader {
  if (headerSize(header, where) !== header.length) {
    throw corruptDelta(`${headerSize(header, where)} bytes`, `${header.length} bytes`, where);
  }
  const to = { commit: header.toString('hex', 48, 80), image: decodeDigest(header, 120, where) };
  // Each byte of the image takes a few bytes of all streams at most (S5).
  const mostPlain = 16 * to.image.size;
  const scratch = number(header, scratchPlace, where);
  if (scratch > maxPatchSize) {
    throw corruptDelta(`at most ${maxPatchSize} bytes decompressed`, `${scratch}`, where);
  }
  let at = fixedHeaderSize;
  const shapes = streamNames.map((_, index): StreamShape => {
    const plainSize = header.readUIntLE(160 + 16 * index, 6);
    const compression = compressions[header.readUInt16LE(166 + 16 * index)];
    if (compression === undefined) {
      throw corruptDelta(compressions.join(' or '), 'another compression', where);
    }
    const size = number(header, 168 + 16 * index, where);
    if (plainSize > mostPlain) {
      throw corruptDelta(`streams of at most ${mostPlain} bytes`, `${plainSize}`, where);
    }
    const end = at + hashSize * Math.ceil(size / pieceSize);
    if (end > header.length) throw corruptDelta('a hash for each piece', 'fewer', where);
    const hashes = header.subarray(at, end);
    at = end;
    return { compression, plainSize, size, hashes };
  });
  if (at !== header.length) throw corruptDelta('a hash for each piece', 'more', where);
  const [plan, control, runs, differences, literals] = shapes;
  if (!plan || !control || !runs || !differences || !literals) throw new TypeError('five streams');
  return {
    version: header.readUInt32LE(8),
    from: { commit: header.toString('hex', 16, 48), image: decodeDigest(header, 80, where) },
    to,
    scratch,
    streams: { plan, control, runs, differences, literals },
  };
}

function encodeDigest(header: Buffer, at: number, { size, sha256 }: Digest): void {
  if (!isChecksum(sha256)) throw new TypeError(`not a SHA-256: ${sha256}`);
  header.writeUIntLE(size, at, 6);
  header.write(sha256, at + 8, 'hex');
}

function decodeDigest(header: Buffer, at: number, where: string): Digest {
  return { size: number(header, at, where), sha256: header.toString('hex', at + 8, at + 40) };
}

/** Six bytes, and two that are zero. */
function number(header: Buffer, at: number, where: string): number {
  if (header.readUInt16LE(at + 6) !== 0) {
    throw corruptDelta('a number of 48 bits', 'a larger one', `${where}, byte ${at}`);
  }
  return header.readUIntLE(at, 6);
}
