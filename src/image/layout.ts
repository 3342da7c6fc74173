import type { Segment } from '../plan/segment.ts';
import type { DirectoryNode } from '../repo/tree.ts';
import { orderInodes } from './inode-order.ts';
import { limits, refuseTree } from './limits.ts';
import { placeObjects } from './object-placement.ts';
import { imageSegments } from './segments.ts';
import { imageAlignment } from './squashfs/format.ts';
import { encodeSuperblock } from './squashfs/superblock.ts';
import { buildTables, type Tables } from './tables.ts';

export interface ImageLayout {
  /** Bytes of the image: a multiple of 4096. */
  readonly size: number;
  /** From byte 0 to the end; zeros, literals and objects only. May be walked again and again. */
  readonly segments: Iterable<Segment>;
}

/**
 * Lays out the image of a tree: which byte of it is which. The same tree and time (seconds since
 * 1970, of the commit) give the same bytes everywhere. No file is read.
 *
 * Throws an INPUT error for a tree that no image can hold. The format: docs/image-format.md.
 */
export function layOutImage(root: DirectoryNode, time: number): ImageLayout {
  checkTime(time);
  const directories = orderInodes(root);
  const { objects, end } = placeObjects(directories);
  const tables = buildTables(directories, objects, time);
  const stored = storeTables(tables, end);
  const inodes = directories.at(-1)?.number ?? 1;
  const superblock = encodeSuperblock({
    inodes,
    time,
    ids: tables.ids.count,
    root: tables.root,
    ...stored.positions,
  });
  const { bytesUsed } = stored.positions;
  const size = Math.ceil(bytesUsed / imageAlignment) * imageAlignment;
  const parts = {
    superblock,
    objects: [...objects.values()],
    tables: stored.bytes,
    padding: size - bytesUsed,
  };
  return { size, segments: { [Symbol.iterator]: () => imageSegments(parts)[Symbol.iterator]() } };
}

/** Puts the tables one behind the other, without gaps: the kernel refuses an image that has some. */
function storeTables({ inodes, listings, ids, xattrs }: Tables, inodeTable: number) {
  const inodeBytes = inodes.encode();
  const directoryTable = inodeTable + inodeBytes.length;
  const listingBytes = listings.encode();
  const directoryTableEnd = directoryTable + listingBytes.length;
  const idTable = ids.encode(directoryTableEnd);
  const xattrStart = directoryTableEnd + idTable.bytes.length;
  const xattrTable = xattrs.isEmpty ? undefined : xattrs.encode(xattrStart);
  const bytes = Buffer.concat([
    inodeBytes,
    listingBytes,
    idTable.bytes,
    xattrTable?.bytes ?? Buffer.alloc(0),
  ]);
  return {
    bytes,
    positions: {
      inodeTable,
      directoryTable,
      directoryTableEnd,
      idTable: idTable.arrayStart,
      xattrTable: xattrTable?.arrayStart,
      bytesUsed: inodeTable + bytes.length,
    },
  };
}

function checkTime(time: number): void {
  if (Number.isInteger(time) && time >= 0 && time <= limits.time) return;
  refuseTree('INPUT_TIME', 'the time of a commit cannot be stored in an image', {
    expected: `whole seconds since 1970, up to ${limits.time} (the year 2106)`,
    found: String(time),
    where: 'the time of the commit',
    remedy: 'commit with a --timestamp in that range',
  });
}
