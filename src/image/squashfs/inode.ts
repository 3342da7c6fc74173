import { blockSize, dataUncompressed, directorySizeExcess, inodeType, none } from './format.ts';
import type { MetadataPosition } from './metadata-stream.ts';

/** What every inode has. `uid` and `gid` are numbers in the id table, not ids. */
export interface InodeCommon {
  /** Any bits above the lower twelve are left out. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly time: number;
  /** Counted from 1. */
  readonly number: number;
  /** A number in the attribute table, or `none`. */
  readonly xattr: number;
}

export interface DirectoryShape {
  readonly listing: MetadataPosition;
  /** Bytes of the listing. */
  readonly length: number;
  /** Entries of the listing's index. */
  readonly index: readonly Uint8Array[];
  readonly subdirectories: number;
  /** Number of the directory that this one is in. */
  readonly parent: number;
}

/** The largest listing of a basic directory inode, and the largest that GRUB 2.06 reads. */
export const largestBasicListing = 0xffff - directorySizeExcess;

/** A directory; the extended form when its listing is long or indexed, or it has attributes. */
export function encodeDirectory(common: InodeCommon, shape: DirectoryShape): Buffer {
  const { listing, length, index, subdirectories, parent } = shape;
  const extended = length > largestBasicListing || index.length > 0 || common.xattr !== none;
  const inode = header(common, inodeType.directory, extended, extended ? 40 : 32);
  if (extended) {
    inode.writeUInt32LE(2 + subdirectories, 16);
    inode.writeUInt32LE(length + directorySizeExcess, 20);
    inode.writeUInt32LE(listing.block, 24);
    inode.writeUInt32LE(parent, 28);
    inode.writeUInt16LE(index.length, 32);
    inode.writeUInt16LE(listing.offset, 34);
    inode.writeUInt32LE(common.xattr, 36);
  } else {
    inode.writeUInt32LE(listing.block, 16);
    inode.writeUInt32LE(2 + subdirectories, 20);
    inode.writeUInt16LE(length + directorySizeExcess, 24);
    inode.writeUInt16LE(listing.offset, 26);
    inode.writeUInt32LE(parent, 28);
  }
  return Buffer.concat([inode, ...index]);
}

/** A regular file whose `size` bytes lie at `start`; the extended form where 32 bits are too few. */
export function encodeFile(common: InodeCommon, start: number, size: number): Buffer {
  const extended = start > 0xffffffff || size > 0xffffffff || common.xattr !== none;
  const blocks = Math.ceil(size / blockSize);
  const head = extended ? 56 : 32;
  const inode = header(common, inodeType.file, extended, head + 4 * blocks);
  if (extended) {
    inode.writeBigUInt64LE(BigInt(start), 16);
    inode.writeBigUInt64LE(BigInt(size), 24);
    // u64 at 32: bytes saved by sparse blocks; there are none.
    inode.writeUInt32LE(1, 40);
    inode.writeUInt32LE(none, 44);
    inode.writeUInt32LE(common.xattr, 52);
  } else {
    inode.writeUInt32LE(start, 16);
    inode.writeUInt32LE(none, 20);
    inode.writeUInt32LE(size, 28);
  }
  for (let index = 0; index < blocks; index++) {
    const length = Math.min(blockSize, size - index * blockSize);
    inode.writeUInt32LE(length | dataUncompressed, head + 4 * index);
  }
  return inode;
}

/** A symbolic link. */
export function encodeSymlink(common: InodeCommon, target: Buffer): Buffer {
  const extended = common.xattr !== none;
  const length = 24 + target.length + (extended ? 4 : 0);
  const inode = header(common, inodeType.symlink, extended, length);
  inode.writeUInt32LE(1, 16);
  inode.writeUInt32LE(target.length, 20);
  target.copy(inode, 24);
  // Behind the target, which need not leave it aligned.
  if (extended) inode.writeUInt32LE(common.xattr, 24 + target.length);
  return inode;
}

function header(common: InodeCommon, basicType: number, extended: boolean, length: number): Buffer {
  const inode = Buffer.alloc(length);
  inode.writeUInt16LE(basicType + (extended ? inodeType.extended : 0), 0);
  inode.writeUInt16LE(common.mode & 0o7777, 2);
  inode.writeUInt16LE(common.uid, 4);
  inode.writeUInt16LE(common.gid, 6);
  inode.writeUInt32LE(common.time, 8);
  inode.writeUInt32LE(common.number, 12);
  return inode;
}
