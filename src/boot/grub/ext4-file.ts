import { PineError } from '../../error.ts';
import type { BlockDevice } from '../../ports/block-device.ts';
import { readExtents } from './ext4-extents.ts';

/** A piece of a file: where it lies on the device, in bytes. */
export interface FilePiece {
  readonly position: number;
  readonly length: number;
}

/** A file of an ext4 file system: its size and, in order and without holes, where its bytes lie. */
export interface LocatedFile {
  readonly size: number;
  readonly pieces: readonly FilePiece[];
}

/** Which file systems are read, and how much of them. */
export interface Ext4Kind {
  /** Incompatible features that it may have. Others change where bytes lie. */
  readonly features: number;
  /** Bytes of the largest file or folder. */
  readonly largest: number;
}

/** extents, 64bit, flex_bg, filetype: what `install/` makes. */
const ownKind: Ext4Kind = { features: 0x2 | 0x40 | 0x80 | 0x200, largest: 4 << 20 };

/** Another system's: besides, a journal that is to be replayed, and a seed for checksums, which we do not check. */
export const foreignKind: Ext4Kind = {
  features: ownKind.features | 0x4 | 0x2000,
  largest: 512 << 20,
};

/** What is needed of the superblock. Sizes are bytes. */
export interface Ext4 extends Pick<Ext4Kind, 'largest'> {
  readonly device: BlockDevice;
  readonly blockSize: number;
  readonly blockCount: number;
  readonly inodeSize: number;
  readonly inodeCount: number;
  readonly inodesPerGroup: number;
  readonly descriptorSize: number;
  readonly descriptors: number;
}

/**
 * Finds where the bytes of a file lie, so that they can be rewritten in place: the boot partition is
 * never mounted for writing, and its metadata never changes (docs/architecture.md).
 *
 * `path` is relative to the root, with `/`. Files and folders beyond what the kind allows are refused. Throws
 * CORRUPT_EXT4, or NOT_FOUND_BOOT_FILE. Source: the kernel's Documentation/filesystems/ext4.
 */
export async function locateFile(
  device: BlockDevice,
  name: string,
  path: string,
  kind: Ext4Kind = ownKind,
): Promise<LocatedFile> {
  const where = `${name}, ${path}`;
  const fileSystem = await readSuperblock(device, where, kind);
  let inode = await readInode(fileSystem, 2, where);
  for (const part of path.split('/')) {
    const number = await findEntry(fileSystem, inode, part, where);
    if (number === undefined) {
      throw new PineError('NOT_FOUND_BOOT_FILE', 'a file is missing on the boot partition', {
        expected: `an entry "${part}"`,
        found: 'none',
        where,
        remedy: 'install the boot loader again',
      });
    }
    inode = await readInode(fileSystem, number, where);
  }
  if ((inode.readUInt16LE(0) & 0xf000) !== 0x8000) {
    throw corrupt(where, 'a regular file', `mode ${inode.readUInt16LE(0).toString(8)}`);
  }
  return locate(fileSystem, inode, where);
}

/** The error that whatever is wrong with the file system ends in. */
export function corrupt(where: string, expected: string, found: string): PineError {
  return new PineError('CORRUPT_EXT4', 'the boot partition can not be read', {
    expected,
    found,
    where,
    remedy: 'install the boot loader again',
  });
}

async function readSuperblock(device: BlockDevice, where: string, kind: Ext4Kind): Promise<Ext4> {
  if (device.size < 2048) throw corrupt(where, 'a file system', `${device.size} bytes`);
  const bytes = await device.read(1024, 1024);
  const magic = bytes.readUInt16LE(0x38);
  if (magic !== 0xef53) throw corrupt(where, 'the ext4 magic 0xef53', `0x${magic.toString(16)}`);
  const features = bytes.readUInt32LE(0x60) & ~kind.features;
  if (features !== 0) throw corrupt(where, 'ext4 as pine makes it', `features 0x${features}`);
  const logBlockSize = bytes.readUInt32LE(0x18);
  if (logBlockSize > 6) throw corrupt(where, 'blocks of 1 to 64 KiB', `2^${logBlockSize} KiB`);
  const blockSize = 1024 << logBlockSize;
  const has64Bit = (bytes.readUInt32LE(0x60) & 0x80) !== 0;
  const fileSystem: Ext4 = {
    device,
    largest: kind.largest,
    blockSize,
    blockCount: bytes.readUInt32LE(0x04),
    inodeCount: bytes.readUInt32LE(0x00),
    inodeSize: bytes.readUInt32LE(0x4c) === 0 ? 128 : bytes.readUInt16LE(0x58),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    descriptorSize: has64Bit ? bytes.readUInt16LE(0xfe) : 32,
    descriptors: (bytes.readUInt32LE(0x14) + 1) * blockSize,
  };
  const { inodeSize, inodesPerGroup, descriptorSize, blockCount } = fileSystem;
  if (blockCount * blockSize > device.size) {
    throw corrupt(where, `at most ${device.size} bytes`, `${blockCount} blocks of ${blockSize}`);
  }
  if (inodeSize < 128 || inodeSize > blockSize || inodesPerGroup === 0 || descriptorSize < 32) {
    throw corrupt(where, 'a sound superblock', `inodes of ${inodeSize} bytes`);
  }
  return fileSystem;
}

async function readInode(fileSystem: Ext4, number: number, where: string): Promise<Buffer> {
  const { device, inodeCount, inodesPerGroup, inodeSize, blockSize } = fileSystem;
  if (number < 1 || number > inodeCount) {
    throw corrupt(where, `an inode of 1 to ${inodeCount}`, String(number));
  }
  const group = Math.floor((number - 1) / inodesPerGroup);
  const at = fileSystem.descriptors + group * fileSystem.descriptorSize;
  const table = (await readChecked(fileSystem, at, 32, where)).readUInt32LE(8) * blockSize;
  const position = table + ((number - 1) % inodesPerGroup) * inodeSize;
  const bytes = await readChecked({ ...fileSystem, device }, position, 128, where);
  return bytes;
}

/** Reads inside the file system, or throws. */
export async function readChecked(
  { device, blockSize, blockCount }: Ext4,
  position: number,
  length: number,
  where: string,
): Promise<Buffer> {
  if (position < 0 || position + length > blockCount * blockSize) {
    throw corrupt(where, `a position below ${blockCount * blockSize}`, String(position));
  }
  return device.read(position, length);
}

async function locate(fileSystem: Ext4, inode: Buffer, where: string): Promise<LocatedFile> {
  const size = inode.readUInt32LE(4);
  const high = (inode.readUInt16LE(0) & 0xf000) === 0x8000 ? inode.readUInt32LE(0x6c) : 0;
  const { blockSize, largest } = fileSystem;
  if (high !== 0 || size > largest) {
    throw corrupt(where, `at most ${largest >> 20} MiB`, `${size} bytes or more`);
  }
  const pieces: { position: number; length: number }[] = [];
  let left = size;
  for (const block of await readExtents(fileSystem, inode, Math.ceil(size / blockSize), where)) {
    const length = Math.min(blockSize, left);
    const position = block * blockSize;
    const last = pieces.at(-1);
    if (last !== undefined && last.position + last.length === position) last.length += length;
    else pieces.push({ position, length });
    left -= length;
  }
  return { size, pieces };
}

async function findEntry(
  fileSystem: Ext4,
  folder: Buffer,
  wanted: string,
  where: string,
): Promise<number | undefined> {
  if ((folder.readUInt16LE(0) & 0xf000) !== 0x4000) throw corrupt(where, 'a folder', 'none');
  const { pieces } = await locate(fileSystem, folder, where);
  for (const { position, length } of pieces) {
    const bytes = await readChecked(fileSystem, position, length, where);
    for (let at = 0; at + 8 <= bytes.length; ) {
      const step = bytes.readUInt16LE(at + 4);
      if (step < 8 || at + step > bytes.length) throw corrupt(where, 'a sound folder', 'damage');
      const name = bytes.toString('latin1', at + 8, at + 8 + bytes.readUInt8(at + 6));
      const inode = bytes.readUInt32LE(at);
      if (inode !== 0 && name === wanted) return inode;
      at += step;
    }
  }
  return undefined;
}
