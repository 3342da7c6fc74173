import type { TreeNode } from '../repo/tree.ts';
import type { OrderedDirectory, OrderedEntry } from './inode-order.ts';
import { limits, refuseTree } from './limits.ts';
import type { PlacedObject } from './object-placement.ts';
import { type DirectoryEntry, encodeListing, type Listing } from './squashfs/directory-table.ts';
import { inodeType } from './squashfs/format.ts';
import { IdTable } from './squashfs/id-table.ts';
import { encodeDirectory, encodeFile, encodeSymlink, type InodeCommon } from './squashfs/inode.ts';
import { type MetadataPosition, MetadataStream } from './squashfs/metadata-stream.ts';
import { XattrTable } from './squashfs/xattr-table.ts';

/** The tables of an image, before their own place in it is known. */
export interface Tables {
  readonly inodes: MetadataStream;
  readonly listings: MetadataStream;
  readonly ids: IdTable;
  readonly xattrs: XattrTable;
  readonly root: MetadataPosition;
  /** Bytes of each directory's listing. */
  readonly listingLengths: ReadonlyMap<OrderedDirectory, number>;
}

interface StoredListing {
  readonly position: MetadataPosition;
  readonly length: number;
  readonly index: Listing['index'];
}

const nowhere: MetadataPosition = { block: 0, offset: 0 };

/** Makes all inodes and listings, in the order of `orderInodes`. `time` is seconds since 1970. */
export function buildTables(
  directories: readonly OrderedDirectory[],
  objects: ReadonlyMap<string, PlacedObject>,
  time: number,
): Tables {
  const inodes = new MetadataStream();
  const listings = new MetadataStream();
  const ids = new IdTable();
  const xattrs = new XattrTable();
  const listed = new Map<OrderedDirectory, StoredListing>();

  const common = (node: TreeNode, path: string, number: number): InodeCommon => ({
    mode: node.mode,
    uid: ids.indexOf(node.uid, path),
    gid: ids.indexOf(node.gid, path),
    time,
    number,
    xattr: xattrs.idOf(node.xattrs, path),
  });

  const appendDirectory = (directory: OrderedDirectory): MetadataPosition => {
    const listing = listed.get(directory) ?? { position: nowhere, length: 0, index: [] };
    return inodes.append(
      encodeDirectory(common(directory.node, directory.path, directory.number), {
        listing: listing.position,
        length: listing.length,
        index: listing.index,
        subdirectories: directory.entries.filter((entry) => entry.directory).length,
        // Nothing is above the root: readers expect the number that comes next.
        parent: (directory.parent ?? { number: directory.number + 1 }).number,
      }),
    );
  };

  const appendEntry = ({ node, path, number, directory, name }: OrderedEntry): DirectoryEntry => {
    if (directory !== undefined) {
      return { name, number, type: inodeType.directory, inode: appendDirectory(directory) };
    }
    if (node.kind === 'file') {
      const start = node.size === 0 ? 0 : (objects.get(node.checksum)?.offset ?? 0);
      const inode = inodes.append(encodeFile(common(node, path, number), start, node.size));
      return { name, number, type: inodeType.file, inode };
    }
    const target = encodeTarget(node.kind === 'symlink' ? node.target : '', path);
    const inode = inodes.append(encodeSymlink(common(node, path, number), target));
    return { name, number, type: inodeType.symlink, inode };
  };

  let root = nowhere;
  for (const directory of directories) {
    const { bytes, index } = encodeListing(directory.entries.map(appendEntry), listings.position);
    // An empty directory has no listing to point at; the end of the table might be in no block.
    const position = bytes.length === 0 ? nowhere : listings.append(bytes);
    listed.set(directory, { position, length: bytes.length, index });
    if (directory.parent === undefined) root = appendDirectory(directory);
  }
  const listingLengths = new Map([...listed].map(([key, { length }]) => [key, length]));
  return { inodes, listings, ids, xattrs, root, listingLengths };
}

function encodeTarget(target: string, path: string): Buffer {
  const bytes = Buffer.from(target);
  const isTarget = bytes.length > 0 && target.isWellFormed() && !target.includes('\0');
  if (isTarget && bytes.length <= limits.targetBytes) return bytes;
  refuseTree('INPUT_LINK_TARGET', 'a symbolic link has no valid target', {
    expected: `1 to ${limits.targetBytes} bytes of UTF-8 without NUL`,
    found: `${JSON.stringify(target.slice(0, 64))} (${bytes.length} bytes)`,
    where: path,
  });
}
