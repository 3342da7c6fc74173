import { limits } from '../limits.ts';
import {
  blockSize,
  dataUncompressed,
  directorySizeExcess,
  inodeType,
  none,
} from '../squashfs/format.ts';
import type { MetadataPosition } from '../squashfs/metadata-stream.ts';
import { corruptImage } from './corrupt-image.ts';
import type { MetadataReader } from './metadata-reader.ts';

interface StoredCommon {
  /** The lower twelve bits only. */
  readonly permissions: number;
  /** Numbers in the id table. */
  readonly uid: number;
  readonly gid: number;
  readonly number: number;
  /** A number in the attribute table, or `none`. */
  readonly xattr: number;
  /** Where the next inode begins in the table. */
  readonly next: number;
}

/** An inode as it is stored. Positions and sizes are bytes. */
export type StoredInode = StoredCommon &
  (
    | { readonly type: typeof inodeType.file; readonly start: number; readonly size: number }
    | { readonly type: typeof inodeType.symlink; readonly target: string }
    | {
        readonly type: typeof inodeType.directory;
        readonly listing: MetadataPosition;
        /** Bytes of the listing. */
        readonly length: number;
        readonly parent: number;
      }
  );

const headerSize = 16;

/** Reads the inode at a position of the inode table's payload. Throws CORRUPT_IMAGE. */
export async function readInode(table: MetadataReader, position: number): Promise<StoredInode> {
  const header = await table.read(position, headerSize);
  const stored = header.readUInt16LE(0);
  const extended = stored > inodeType.extended;
  const common = {
    permissions: header.readUInt16LE(2),
    uid: header.readUInt16LE(4),
    gid: header.readUInt16LE(6),
    number: header.readUInt32LE(12),
  };
  const at = position + headerSize;
  switch (extended ? stored - inodeType.extended : stored) {
    case inodeType.directory:
      return { ...common, ...(await readDirectory(table, at, extended)) };
    case inodeType.file:
      return { ...common, ...(await readFile(table, at, extended)) };
    case inodeType.symlink:
      return { ...common, ...(await readSymlink(table, at, extended)) };
    default:
      throw corrupt('a directory, file or symbolic link', `type ${stored}`, position);
  }
}

async function readDirectory(table: MetadataReader, at: number, extended: boolean) {
  const bytes = await table.read(at, extended ? 24 : 16);
  const shape = extended
    ? {
        size: bytes.readUInt32LE(4),
        listing: { block: bytes.readUInt32LE(8), offset: bytes.readUInt16LE(18) },
        parent: bytes.readUInt32LE(12),
        index: bytes.readUInt16LE(16),
        xattr: bytes.readUInt32LE(20),
      }
    : {
        size: bytes.readUInt16LE(8),
        listing: { block: bytes.readUInt32LE(0), offset: bytes.readUInt16LE(10) },
        parent: bytes.readUInt32LE(12),
        index: 0,
        xattr: none,
      };
  const { size, listing, parent, index, xattr } = shape;
  if (size < directorySizeExcess) throw corrupt('a listing', `${size} bytes`, at);
  let next = at + bytes.length;
  for (let entry = 0; entry < index; entry++) {
    const head = await table.read(next, 12);
    const nameLength = head.readUInt32LE(8) + 1;
    if (nameLength > limits.nameBytes) throw corrupt('a name', `${nameLength} bytes`, next);
    next += 12 + nameLength;
  }
  const length = size - directorySizeExcess;
  return { type: inodeType.directory, length, listing, parent, xattr, next };
}

async function readFile(table: MetadataReader, at: number, extended: boolean) {
  const bytes = await table.read(at, extended ? 40 : 16);
  const start = extended ? toNumber(bytes.readBigUInt64LE(0), at) : bytes.readUInt32LE(0);
  const size = extended ? toNumber(bytes.readBigUInt64LE(8), at) : bytes.readUInt32LE(12);
  const fragment = bytes.readUInt32LE(extended ? 28 : 4);
  if (fragment !== none || size > limits.fileBytes) {
    throw corrupt('a file without fragment', `${size} bytes, fragment ${fragment}`, at);
  }
  const blocks = Math.ceil(size / blockSize);
  const list = at + bytes.length;
  await checkBlocks(table, list, size, blocks);
  const xattr = extended ? bytes.readUInt32LE(36) : none;
  return { type: inodeType.file, start, size, xattr, next: list + 4 * blocks };
}

/** Every block is stored as it is, so that a file's bytes lie in one piece. */
async function checkBlocks(table: MetadataReader, list: number, size: number, blocks: number) {
  const perRead = 4096;
  for (let first = 0; first < blocks; first += perRead) {
    const count = Math.min(perRead, blocks - first);
    const lengths = await table.read(list + 4 * first, 4 * count);
    for (let index = 0; index < count; index++) {
      const length = Math.min(blockSize, size - (first + index) * blockSize);
      const found = lengths.readUInt32LE(4 * index);
      if (found !== (length | dataUncompressed)) {
        throw corrupt(`a stored block of ${length} bytes`, found.toString(16), list + 4 * index);
      }
    }
  }
}

async function readSymlink(table: MetadataReader, at: number, extended: boolean) {
  const length = (await table.read(at + 4, 4)).readUInt32LE(0);
  if (length === 0 || length > limits.targetBytes) {
    throw corrupt(`a target of 1 to ${limits.targetBytes} bytes`, `${length} bytes`, at);
  }
  const target = (await table.read(at + 8, length)).toString();
  const end = at + 8 + length;
  const xattr = extended ? (await table.read(end, 4)).readUInt32LE(0) : none;
  return { type: inodeType.symlink, target, xattr, next: extended ? end + 4 : end };
}

function toNumber(value: bigint, at: number): number {
  if (value < 2n ** 48n) return Number(value);
  throw corrupt('a position or size in the image', `${value}`, at);
}

function corrupt(expected: string, found: string, position: number) {
  return corruptImage(expected, found, `byte ${position} of the inode table`);
}
