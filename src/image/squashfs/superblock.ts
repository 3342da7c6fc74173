import { blockLog, blockSize, noTable, superblockSize } from './format.ts';
import { encodeReference, type MetadataPosition } from './metadata-stream.ts';

/** What a superblock tells of an image; positions are bytes from its start. */
export interface Superblock {
  readonly inodes: number;
  readonly time: number;
  readonly ids: number;
  readonly root: MetadataPosition;
  /** End of the last table: what is behind it is padding. */
  readonly bytesUsed: number;
  readonly inodeTable: number;
  readonly directoryTable: number;
  readonly directoryTableEnd: number;
  readonly idTable: number;
  /** `undefined` when nothing in the image has extended attributes. */
  readonly xattrTable: number | undefined;
}

const magic = 0x73717368;
/** zlib: the one that every reader has, although nothing is ever deflated. */
const compressor = 1;
/** For people and tools to read; readers go by each block's own flag. */
const flags = {
  inodesUncompressed: 0x1,
  dataUncompressed: 0x2,
  fragmentsUncompressed: 0x8,
  noFragments: 0x10,
  duplicatesShared: 0x40,
  xattrsUncompressed: 0x100,
  noXattrs: 0x200,
  idsUncompressed: 0x800,
} as const;

/** The first 96 bytes of an image. */
export function encodeSuperblock(superblock: Superblock): Buffer {
  const { inodes, time, ids, root, bytesUsed, xattrTable } = superblock;
  const { inodeTable, directoryTable, directoryTableEnd, idTable } = superblock;
  const bytes = Buffer.alloc(superblockSize);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(inodes, 4);
  bytes.writeUInt32LE(time, 8);
  bytes.writeUInt32LE(blockSize, 12);
  bytes.writeUInt16LE(compressor, 20);
  bytes.writeUInt16LE(blockLog, 22);
  bytes.writeUInt16LE(flagsOf(superblock), 24);
  bytes.writeUInt16LE(ids, 26);
  bytes.writeUInt16LE(4, 28);
  bytes.writeBigUInt64LE(encodeReference(root), 32);
  bytes.writeBigUInt64LE(BigInt(bytesUsed), 40);
  bytes.writeBigUInt64LE(BigInt(idTable), 48);
  bytes.writeBigUInt64LE(xattrTable === undefined ? noTable : BigInt(xattrTable), 56);
  bytes.writeBigUInt64LE(BigInt(inodeTable), 64);
  bytes.writeBigUInt64LE(BigInt(directoryTable), 72);
  // There are no fragments, but GRUB reads eight bytes here when it mounts: it must be inside.
  bytes.writeBigUInt64LE(BigInt(directoryTableEnd), 80);
  bytes.writeBigUInt64LE(noTable, 88);
  return bytes;
}

function flagsOf({ xattrTable }: Superblock): number {
  const { noXattrs, ...always } = flags;
  const sum = Object.values(always).reduce((bits, flag) => bits | flag, 0);
  return xattrTable === undefined ? sum | noXattrs : sum;
}
