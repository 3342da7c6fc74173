import type { PositionedReader } from '../ports/positioned-reader.ts';

const superblockAt = 1024;

/** What the superblock of an ext4 file system says of it. */
export interface Ext4Identity {
  readonly label: string;
  /** Whether it was ever mounted for writing. */
  readonly wasMounted: boolean;
}

/**
 * Reads who an ext4 file system is; `undefined` when the partition has none. Also right while it is mounted: Linux
 * shares the block device's cache with it. Source: fs/ext4/ext4.h, `struct ext4_super_block`.
 */
export async function readExt4Identity(
  partition: PositionedReader,
): Promise<Ext4Identity | undefined> {
  if (partition.size < superblockAt * 2) return undefined;
  const block = await partition.read(superblockAt, 1024);
  if (block.readUInt16LE(56) !== 0xef53) return undefined;
  return {
    label: block.toString('utf8', 0x78, 0x88).replace(/\0.*$/s, ''),
    wasMounted: block.readUInt32LE(0x2c) !== 0,
  };
}
