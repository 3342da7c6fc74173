import { crc32 } from 'node:zlib';
import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';

/** A partition as the table on a disk has it. Positions and sizes are bytes. */
export interface Partition {
  readonly number: number;
  readonly name: string;
  /** Its unique GUID (PARTUUID), lower case. */
  readonly uuid: string;
  /** Its type GUID, lower case. */
  readonly type: string;
  readonly start: number;
  readonly size: number;
}

const sector = 512;

/**
 * Reads the GPT of a disk with sectors of 512 bytes: the primary table, or the backup at the end
 * when the primary fails its checksums. Throws CORRUPT_GPT when both do. Source: UEFI 2.10, chapter 5.
 */
export async function readPartitions(
  disk: PositionedReader,
  name = 'the disk',
): Promise<Partition[]> {
  const problems: string[] = [];
  const last = Math.floor(disk.size / sector) - 1;
  for (const lba of [1, last]) {
    const table = await readTable(disk, lba);
    if (typeof table !== 'string') return table;
    problems.push(`${lba === 1 ? 'the table' : 'its backup'}: ${table}`);
  }
  throw new PineError('CORRUPT_GPT', 'the disk has no partition table that could be read', {
    expected: 'a GPT',
    found: problems.join('; '),
    where: name,
    remedy: 'check that this is a disk that pine installed, and whole',
  });
}

/** The partitions of the table whose header is in sector `lba`, or what is wrong with it. */
async function readTable(disk: PositionedReader, lba: number): Promise<Partition[] | string> {
  if (lba < 1 || (lba + 1) * sector > disk.size) return 'the disk is too small';
  const header = await disk.read(lba * sector, sector);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return 'no "EFI PART"';
  const headerSize = header.readUInt32LE(12);
  if (headerSize < 92 || headerSize > sector) return `a header of ${headerSize} bytes`;
  const expected = header.readUInt32LE(16);
  header.writeUInt32LE(0, 16);
  if (crc32(header.subarray(0, headerSize)) !== expected) return 'a wrong header checksum';
  if (Number(header.readBigUInt64LE(24)) !== lba) return 'a header of another place';

  const entries = Number(header.readBigUInt64LE(72)) * sector;
  const count = header.readUInt32LE(80);
  const size = header.readUInt32LE(84);
  if (size < 128 || size > 4096 || count > 1024) return `${count} entries of ${size} bytes`;
  if (entries + count * size > disk.size) return 'entries outside the disk';
  const bytes = await disk.read(entries, count * size);
  if (crc32(bytes) !== header.readUInt32LE(88)) return 'a wrong checksum of the entries';

  const partitions: Partition[] = [];
  for (let index = 0; index < count; index += 1) {
    const entry = bytes.subarray(index * size, (index + 1) * size);
    const type = readGuid(entry, 0);
    if (/^[0-]*$/.test(type)) continue;
    const [first, end] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))];
    if (first > end || (end + 1) * sector > disk.size) return `partition ${index + 1} is outside`;
    partitions.push({
      number: index + 1,
      name: entry.toString('utf16le', 56, 128).replace(/\0.*$/s, ''),
      uuid: readGuid(entry, 16),
      type,
      start: first * sector,
      size: (end + 1 - first) * sector,
    });
  }
  return partitions;
}

/** A GUID as text: its first three fields are little-endian. */
function readGuid(bytes: Buffer, at: number): string {
  const field = (from: number, to: number) => bytes.subarray(at + from, at + to);
  const reversed = (from: number, to: number) => Buffer.from(field(from, to)).reverse();
  return [reversed(0, 4), reversed(4, 6), reversed(6, 8), field(8, 10), field(10, 16)]
    .map((part) => part.toString('hex'))
    .join('-');
}
