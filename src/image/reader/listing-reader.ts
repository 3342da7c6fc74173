import { isUtf8 } from 'node:buffer';
import { limits } from '../limits.ts';
import { maxHeaderEntries } from '../squashfs/format.ts';
import type { MetadataPosition } from '../squashfs/metadata-stream.ts';
import { corruptImage } from './corrupt-image.ts';
import type { MetadataReader } from './metadata-reader.ts';

export interface ListedName {
  readonly name: string;
  readonly inode: MetadataPosition;
  readonly number: number;
  /** The basic inode type. */
  readonly type: number;
}

/** Reads the names of a directory, in order. Throws CORRUPT_IMAGE for a name that is none. */
export async function* readListing(
  table: MetadataReader,
  start: MetadataPosition,
  length: number,
): AsyncGenerator<ListedName> {
  if (length === 0) return;
  let position = table.positionOf(start);
  const end = position + length;
  let last: Buffer = Buffer.alloc(0);
  while (position < end) {
    const header = await table.read(position, 12);
    const count = header.readUInt32LE(0) + 1;
    const block = header.readUInt32LE(4);
    const base = header.readUInt32LE(8);
    if (count > maxHeaderEntries) throw corrupt('at most 256 names', `${count}`, position);
    position += 12;
    for (let index = 0; index < count; index++) {
      const entry = await table.read(position, 8);
      const name = await table.read(position + 8, entry.readUInt16LE(6) + 1);
      checkName(name, last, position);
      last = name;
      yield {
        name: name.toString(),
        inode: { block, offset: entry.readUInt16LE(0) },
        number: base + entry.readInt16LE(2),
        type: entry.readUInt16LE(4),
      };
      position += 8 + name.length;
    }
  }
  if (position !== end) throw corrupt(`the end at ${end}`, 'another name', position);
}

function checkName(name: Buffer, last: Buffer, position: number): void {
  const text = name.toString();
  const isName = isUtf8(name) && name.length <= limits.nameBytes && !/[/\0]|^\.\.?$/.test(text);
  if (isName && Buffer.compare(last, name) < 0) return;
  throw corrupt('file names, sorted', JSON.stringify(text.slice(0, 64)), position);
}

function corrupt(expected: string, found: string, position: number) {
  return corruptImage(expected, found, `byte ${position} of the directory table`);
}
