import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { limits } from '../limits.ts';
import { imageAlignment, noTable, superblockSize } from '../squashfs/format.ts';
import { encodeSuperblock, type Superblock } from '../squashfs/superblock.ts';
import { corruptImage } from './corrupt-image.ts';
import { decodeReference } from './metadata-reader.ts';

/**
 * Reads the superblock of an image of `size` bytes. Throws CORRUPT_IMAGE for one that pine would
 * not have written: encoded again, what was read must be the same bytes.
 */
export async function readSuperblock(reader: PositionedReader, size: number): Promise<Superblock> {
  if (size < imageAlignment || size > reader.size) {
    throw corruptImage(`${imageAlignment} to ${reader.size} bytes`, `${size}`, 'the whole image');
  }
  const bytes = await reader.read(0, superblockSize);
  const superblock: Superblock = {
    inodes: bytes.readUInt32LE(4),
    time: bytes.readUInt32LE(8),
    ids: bytes.readUInt16LE(26),
    root: decodeReference(bytes.readBigUInt64LE(32)),
    bytesUsed: positionAt(bytes, 40, size),
    idTable: positionAt(bytes, 48, size),
    xattrTable: bytes.readBigUInt64LE(56) === noTable ? undefined : positionAt(bytes, 56, size),
    inodeTable: positionAt(bytes, 64, size),
    directoryTable: positionAt(bytes, 72, size),
    directoryTableEnd: positionAt(bytes, 80, size),
  };
  if (!encodeSuperblock(superblock).equals(bytes)) {
    throw corruptImage('a superblock as pine writes it', bytes.toString('hex'), 'the superblock');
  }
  checkOrder(superblock, size);
  return superblock;
}

/** Tables follow each other in this order, and only padding follows them. */
function checkOrder(superblock: Superblock, size: number): void {
  const { inodeTable, directoryTable, directoryTableEnd, idTable, bytesUsed } = superblock;
  const { xattrTable = bytesUsed, inodes } = superblock;
  const order = [
    superblockSize,
    inodeTable,
    directoryTable,
    directoryTableEnd,
    idTable,
    xattrTable,
    bytesUsed,
    size,
  ];
  if (order.some((position, index) => position < (order[index - 1] ?? 0))) {
    throw corruptImage('tables in their order', order.join(' '), 'the superblock');
  }
  if (Math.ceil(bytesUsed / imageAlignment) * imageAlignment !== size) {
    throw corruptImage(`${size} bytes, or less padding`, `${bytesUsed}`, 'the superblock');
  }
  if (inodes < 1 || inodes > limits.inodes) {
    throw corruptImage(`1 to ${limits.inodes} inodes`, `${inodes}`, 'the superblock');
  }
}

function positionAt(bytes: Buffer, at: number, size: number): number {
  const position = bytes.readBigUInt64LE(at);
  if (position <= BigInt(size)) return Number(position);
  throw corruptImage(`a position up to ${size}`, `${position}`, `byte ${at} of the superblock`);
}
