import type { PositionedReader } from '../ports/positioned-reader.ts';

const superblockAt = 1024;

/**
 * Bytes that an ext4 file system takes, as its superblock says; `undefined` when it is none. Also right while it is
 * mounted: Linux shares the block device's cache with it. Source: fs/ext4/ext4.h, `struct ext4_super_block`.
 */
export async function readExt4Size(partition: PositionedReader): Promise<number | undefined> {
  if (partition.size < superblockAt * 2) return undefined;
  const block = await partition.read(superblockAt, 1024);
  const logBlockSize = block.readUInt32LE(24);
  if (block.readUInt16LE(56) !== 0xef53 || logBlockSize > 6) return undefined;
  const is64bit = (block.readUInt32LE(96) & 0x80) !== 0;
  const blocks = block.readUInt32LE(4) + (is64bit ? block.readUInt32LE(0x150) * 2 ** 32 : 0);
  return blocks * 1024 * 2 ** logBlockSize;
}
