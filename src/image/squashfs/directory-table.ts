import { maxHeaderEntries, metadataBlockSize, storedMetadataBlockSize } from './format.ts';
import type { MetadataPosition } from './metadata-stream.ts';

/** A name in a directory and the inode that it is for. */
export interface DirectoryEntry {
  readonly name: Buffer;
  readonly number: number;
  /** The basic inode type, also where the inode has the extended form. */
  readonly type: number;
  readonly inode: MetadataPosition;
}

export interface Listing {
  readonly bytes: Buffer;
  /** One entry for each metadata block that a run begins in, for the directory's inode. */
  readonly index: readonly Buffer[];
}

/**
 * A directory's listing, which will be stored at `start`, and an index of it if it is long: without
 * one the kernel walks the whole listing for each name. `entries` are sorted by the bytes of their names.
 */
export function encodeListing(
  entries: readonly DirectoryEntry[],
  start: MetadataPosition,
): Listing {
  const pieces: Buffer[] = [];
  const index: Buffer[] = [];
  let length = 0;
  let indexed = 0;
  let from = 0;
  while (from < entries.length) {
    const to = runEnd(entries, from);
    const run = entries.slice(from, to);
    const block = Math.floor((start.offset + length) / metadataBlockSize);
    if (block > indexed) {
      index.push(encodeIndexEntry(length, start.block + block * storedMetadataBlockSize, run));
      indexed = block;
    }
    const piece = encodeRun(run);
    pieces.push(piece);
    length += piece.length;
    from = to;
  }
  return { bytes: Buffer.concat(pieces), index: length > metadataBlockSize ? index : [] };
}

/** Says which name the run at byte `offset` of a listing begins with, and where it is stored. */
function encodeIndexEntry(
  offset: number,
  block: number,
  [first]: readonly DirectoryEntry[],
): Buffer {
  const name = first?.name ?? Buffer.alloc(1);
  const entry = Buffer.alloc(12 + name.length);
  entry.writeUInt32LE(offset, 0);
  entry.writeUInt32LE(block, 4);
  entry.writeUInt32LE(name.length - 1, 8);
  name.copy(entry, 12);
  return entry;
}

/** Where the run that begins at `from` ends: one header serves near inodes of one metadata block. */
function runEnd(entries: readonly DirectoryEntry[], from: number): number {
  const first = entries[from];
  let to = from;
  for (; to < entries.length && to - from < maxHeaderEntries; to++) {
    const entry = entries[to];
    if (entry === undefined || first === undefined) break;
    if (entry.inode.block !== first.inode.block) break;
    // A signed 16-bit difference. Numbers rise with the names, so it is never negative.
    if (entry.number - first.number > 0x7fff) break;
  }
  return to;
}

function encodeRun(entries: readonly DirectoryEntry[]): Buffer {
  const [first] = entries;
  const header = Buffer.alloc(12);
  if (first !== undefined) {
    header.writeUInt32LE(entries.length - 1, 0);
    header.writeUInt32LE(first.inode.block, 4);
    header.writeUInt32LE(first.number, 8);
  }
  const encoded = entries.map(({ name, number, type, inode }) => {
    const entry = Buffer.alloc(8 + name.length);
    entry.writeUInt16LE(inode.offset, 0);
    entry.writeInt16LE(number - (first?.number ?? number), 2);
    entry.writeUInt16LE(type, 4);
    entry.writeUInt16LE(name.length - 1, 6);
    name.copy(entry, 8);
    return entry;
  });
  return Buffer.concat([header, ...encoded]);
}
