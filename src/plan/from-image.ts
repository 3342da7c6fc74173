import { corruptImage } from '../image/reader/corrupt-image.ts';
import { type Image, openImage } from '../image/reader/open-image.ts';
import { inodeType, superblockSize } from '../image/squashfs/format.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { fileObjectHash } from '../repo/file-header.ts';
import { PlanRecords } from './plan-records.ts';
import { ReadAhead } from './read-ahead.ts';
import { maxLiteral } from './segment.ts';

/**
 * Makes the full plan of an image of `size` bytes again, byte for byte, by hashing every file in it.
 * The image is read once, in order. Takes 56 bytes of memory for each object, no more than
 * `maxSegments` of them (S9).
 *
 * Throws CORRUPT_IMAGE. Damage inside a file is only seen by comparing the plan with its digest.
 */
export async function* planFromImage(
  reader: PositionedReader,
  size: number,
): AsyncIterable<Uint8Array> {
  const image = await openImage(reader, size);
  const { inodeTable, bytesUsed } = image.superblock;
  const records = new PlanRecords();
  records.add({ kind: 'literal', length: superblockSize });
  await addObjects(records, image, reader);
  const literals = [{ position: 0, length: superblockSize }];
  for (let position = inodeTable; position < bytesUsed; position += maxLiteral) {
    literals.push({ position, length: Math.min(maxLiteral, bytesUsed - position) });
    records.add({ kind: 'literal', length: Math.min(maxLiteral, bytesUsed - position) });
  }
  if (size > bytesUsed) {
    const padding = await reader.read(bytesUsed, size - bytesUsed);
    if (padding.some((byte) => byte !== 0)) throw corruptImage('zeros', 'others', 'the padding');
    records.add({ kind: 'zeros', length: padding.length });
  }
  yield* records.encode();
  for (const { position, length } of literals) yield await reader.read(position, length);
}

/** Data lies in the order of the inodes, each object where it is first mentioned. */
async function addObjects(
  records: PlanRecords,
  image: Image,
  reader: PositionedReader,
): Promise<void> {
  const ahead = new ReadAhead();
  let end = superblockSize;
  for await (const inode of image.inodes()) {
    if (inode.type !== inodeType.file || inode.size === 0) continue;
    const { start, size } = inode;
    if (start + size <= end && start >= superblockSize) continue;
    if (start !== end) {
      throw corruptImage(`data at ${end}`, `data at ${start}`, `inode ${inode.number}`);
    }
    const metadata = await image.metadata(inode);
    const hash = fileObjectHash({ ...metadata, target: '' });
    for await (const bytes of ahead.read(reader, start, size)) hash.update(bytes);
    records.add({ kind: 'object', length: size, checksum: hash.digest('hex') });
    end += size;
  }
  const { inodeTable } = image.superblock;
  if (end !== inodeTable) {
    throw corruptImage(`data up to ${inodeTable}`, `data up to ${end}`, 'the inode table');
  }
}
