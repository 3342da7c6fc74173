import { corrupt, type Ext4, readChecked } from './ext4-file.ts';

/**
 * The numbers of the `count` blocks of a file, in order. Throws CORRUPT_EXT4 for a hole: what is
 * rewritten in place must have its blocks, and GRUB would not save to it either.
 */
export async function readExtents(
  fileSystem: Ext4,
  inode: Buffer,
  count: number,
  where: string,
): Promise<number[]> {
  const root = inode.subarray(0x28, 0x28 + 60);
  const usesExtents = (inode.readUInt32LE(0x20) & 0x80000) !== 0;
  const blocks: number[] = [];
  if (usesExtents) await walk(fileSystem, root, 5, blocks, count, where);
  else blocks.push(...(await readBlockMap(fileSystem, root, count, where)));
  const hole = blocks.findIndex((block) => !(block > 0 && block < fileSystem.blockCount));
  if (hole !== -1 || blocks.length !== count) {
    const found = hole === -1 ? `${blocks.length}` : `a hole or a wrong number at block ${hole}`;
    throw corrupt(where, `${count} blocks`, found);
  }
  return blocks;
}

/** Appends the blocks of one node of the extent tree; `levels` bounds the depth. */
async function walk(
  fileSystem: Ext4,
  node: Buffer,
  levels: number,
  blocks: number[],
  count: number,
  where: string,
): Promise<void> {
  const [magic, entries, depth] = [
    node.readUInt16LE(0),
    node.readUInt16LE(2),
    node.readUInt16LE(6),
  ];
  if (magic !== 0xf30a || 12 + entries * 12 > node.length || depth > levels) {
    throw corrupt(where, 'a sound extent tree', `magic 0x${magic.toString(16)}, depth ${depth}`);
  }
  for (let at = 12; at < 12 + entries * 12; at += 12) {
    if (depth > 0) {
      const { blockSize } = fileSystem;
      const child = node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32;
      const bytes = await readChecked(fileSystem, child * blockSize, blockSize, where);
      await walk(fileSystem, bytes, depth - 1, blocks, count, where);
      continue;
    }
    const length = node.readUInt16LE(at + 4);
    const first = node.readUInt32LE(at + 8) + node.readUInt16LE(at + 6) * 2 ** 32;
    // A length above 32768 marks blocks that are reserved but read as zeros.
    if (node.readUInt32LE(at) !== blocks.length || length > 32768) {
      throw corrupt(where, 'blocks without a hole', `one at block ${blocks.length}`);
    }
    for (let block = 0; block < length && blocks.length < count; block += 1) {
      blocks.push(first + block);
    }
  }
}

/** The older map: twelve direct blocks, then one block full of numbers. */
async function readBlockMap(
  fileSystem: Ext4,
  root: Buffer,
  count: number,
  where: string,
): Promise<number[]> {
  const direct = Math.min(count, 12);
  const blocks = Array.from({ length: direct }, (_, index) => root.readUInt32LE(index * 4));
  const more = Math.min(count - direct, fileSystem.blockSize / 4);
  if (more > 0) {
    const at = root.readUInt32LE(48) * fileSystem.blockSize;
    const bytes = await readChecked(fileSystem, at, more * 4, where);
    for (let index = 0; index < more; index += 1) blocks.push(bytes.readUInt32LE(index * 4));
  }
  return blocks;
}
