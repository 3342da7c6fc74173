import type { PositionedReader } from '../../ports/positioned-reader.ts';
import type { Xattr } from '../../repo/tree.ts';
import { limits } from '../limits.ts';
import type { Superblock } from '../squashfs/superblock.ts';
import { xattrPrefixes } from '../squashfs/xattr-table.ts';
import { corruptImage } from './corrupt-image.ts';
import { openLookupTable } from './lookup-table.ts';
import { decodeReference, MetadataReader } from './metadata-reader.ts';

const name = 'the table of extended attributes';
const headerSize = 16;
const setSize = 16;

/** The extended attributes of an image, in sets that inodes name by number. */
export interface XattrReader {
  read(id: number): Promise<readonly Xattr[]>;
}

/** Opens the attribute table of an image. `start` is where the table before it ends. */
export async function openXattrTable(
  reader: PositionedReader,
  { xattrTable, bytesUsed }: Superblock,
  start: number,
): Promise<XattrReader> {
  if (xattrTable === undefined) {
    if (start !== bytesUsed)
      throw corruptImage(`${start}`, `${bytesUsed}`, 'the end of all tables');
    return { read: async (id) => refuseSet(id, 0) };
  }
  const array = xattrTable + headerSize;
  if (array > bytesUsed) throw corruptImage(`${headerSize} bytes`, 'the end of all tables', name);
  const header = await reader.read(xattrTable, headerSize);
  const count = header.readUInt32LE(8);
  const sets = await openLookupTable(reader, {
    payload: setSize * count,
    blocksEnd: xattrTable,
    array,
    end: bytesUsed,
    name,
  });
  const isWhole = header.readBigUInt64LE(0) === BigInt(start) && header.readUInt32LE(12) === 0;
  if (!isWhole || count === 0 || sets.start < start) {
    throw corruptImage(`a table that begins at ${start}`, header.toString('hex'), name);
  }
  const pairs = new MetadataReader(reader, start, sets.start, name);
  return {
    async read(id) {
      if (id >= count) refuseSet(id, count);
      const set = await sets.entries.read(setSize * id, setSize);
      const position = pairs.positionOf(decodeReference(set.readBigUInt64LE(0)));
      return readPairs(pairs, position, set.readUInt32LE(8), set.readUInt32LE(12));
    },
  };
}

/** Reads `count` attributes whose names, each with a NUL, and values are `bytes` long in all. */
async function readPairs(
  pairs: MetadataReader,
  start: number,
  count: number,
  bytes: number,
): Promise<readonly Xattr[]> {
  if (bytes > limits.xattrSetBytes || count > bytes || count === 0) {
    throw corruptImage(
      `attributes of 1 to ${limits.xattrSetBytes} bytes`,
      `${count} of ${bytes} bytes`,
      name,
    );
  }
  const found: Xattr[] = [];
  let position = start;
  let left = bytes;
  for (let index = 0; index < count; index++) {
    const head = await pairs.read(position, 4);
    const prefix = xattrPrefixes[head.readUInt16LE(0)];
    const nameLength = head.readUInt16LE(2);
    if (prefix === undefined || nameLength === 0 || nameLength > limits.xattrNameBytes) {
      throw corruptImage('a known namespace and a name', head.toString('hex'), name);
    }
    const middle = await pairs.read(position + 4, nameLength + 4);
    const valueLength = middle.readUInt32LE(nameLength);
    left -= prefix.length + nameLength + 1 + valueLength;
    if (left < 0) throw corruptImage(`${bytes} bytes in all`, 'more', name);
    const value = await pairs.read(position + 4 + nameLength + 4, valueLength);
    found.push({ name: prefix + middle.toString('utf8', 0, nameLength), value });
    position += 4 + nameLength + 4 + valueLength;
  }
  if (left !== 0) throw corruptImage(`${bytes} bytes in all`, `${bytes - left}`, name);
  return found;
}

function refuseSet(id: number, count: number): never {
  throw corruptImage(`a set of attributes below ${count}`, `${id}`, name);
}
