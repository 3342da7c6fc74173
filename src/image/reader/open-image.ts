import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Metadata } from '../../repo/tree.ts';
import { inodeType, metadataBlockSize, none } from '../squashfs/format.ts';
import type { Superblock } from '../squashfs/superblock.ts';
import { corruptImage } from './corrupt-image.ts';
import { readInode, type StoredInode } from './inode-reader.ts';
import { openLookupTable } from './lookup-table.ts';
import { MetadataReader } from './metadata-reader.ts';
import { readSuperblock } from './read-superblock.ts';
import { openXattrTable, type XattrReader } from './xattr-reader.ts';

const typeBits = {
  [inodeType.directory]: 0o040000,
  [inodeType.file]: 0o100000,
  [inodeType.symlink]: 0o120000,
} as const;

/** An image that pine wrote, opened for reading. Only a few blocks of it are in memory (S9). */
export class Image {
  readonly superblock: Superblock;
  readonly listings: MetadataReader;
  readonly #inodes: MetadataReader;
  readonly #ids: MetadataReader;
  readonly #xattrs: XattrReader;

  constructor(
    superblock: Superblock,
    inodes: MetadataReader,
    listings: MetadataReader,
    ids: MetadataReader,
    xattrs: XattrReader,
  ) {
    this.superblock = superblock;
    this.#inodes = inodes;
    this.listings = listings;
    this.#ids = ids;
    this.#xattrs = xattrs;
  }

  /** All inodes in the order of the table, which is that of the files' data. */
  async *inodes(): AsyncGenerator<StoredInode> {
    let position = 0;
    for (let number = 1; number <= this.superblock.inodes; number++) {
      const inode = await this.inodeAt(position);
      if (inode.number !== number) {
        throw corruptImage(`inode ${number}`, `inode ${inode.number}`, 'the inode table');
      }
      yield inode;
      position = inode.next;
    }
    if (position !== this.#inodes.size) {
      throw corruptImage('the end of the inode table', `byte ${position}`, 'the inode table');
    }
  }

  /** Reads the root, or the inode that a directory names. */
  async inodeAt(position: number | Superblock['root']): Promise<StoredInode> {
    const at = typeof position === 'number' ? position : this.#inodes.positionOf(position);
    const inode = await readInode(this.#inodes, at);
    if (inode.type === inodeType.file && inode.size > 0) this.#checkExtent(inode);
    return inode;
  }

  /** Mode, owner and attributes of an inode. */
  async metadata(inode: StoredInode): Promise<Metadata> {
    return {
      mode: typeBits[inode.type] | inode.permissions,
      uid: await this.#id(inode.uid),
      gid: await this.#id(inode.gid),
      xattrs: inode.xattr === none ? [] : await this.#xattrs.read(inode.xattr),
    };
  }

  #checkExtent({ start, size }: { start: number; size: number }): void {
    const { inodeTable } = this.superblock;
    if (start + size <= inodeTable) return;
    throw corruptImage(`data below ${inodeTable}`, `${size} bytes at ${start}`, 'the inode table');
  }

  async #id(index: number): Promise<number> {
    return (await this.#ids.read(4 * index, 4)).readUInt32LE(0);
  }
}

/** Opens an image of `size` bytes (by its commit or trailer). Throws CORRUPT_IMAGE. */
export async function openImage(reader: PositionedReader, size: number): Promise<Image> {
  const superblock = await readSuperblock(reader, size);
  const { inodeTable, directoryTable, directoryTableEnd, idTable, ids } = superblock;
  const idBlocks = Math.ceil((4 * ids) / metadataBlockSize);
  const idEnd = idTable + 8 * idBlocks;
  const idEntries = await openLookupTable(reader, {
    payload: 4 * ids,
    blocksEnd: idTable,
    array: idTable,
    end: idEnd,
    name: 'the id table',
  });
  if (idEntries.start !== directoryTableEnd) {
    throw corruptImage(`a start at ${directoryTableEnd}`, `${idEntries.start}`, 'the id table');
  }
  return new Image(
    superblock,
    new MetadataReader(reader, inodeTable, directoryTable, 'the inode table'),
    new MetadataReader(reader, directoryTable, directoryTableEnd, 'the directory table'),
    idEntries.entries,
    await openXattrTable(reader, superblock, idEnd),
  );
}
