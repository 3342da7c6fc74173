import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import { type GptTable, readGptTable, sectorSize } from './gpt-table.ts';

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

/**
 * Reads the GPT of a disk with sectors of 512 bytes: the primary table, or the backup at the end
 * when the primary fails its checksums. Throws CORRUPT_GPT when both do. Source: UEFI 2.10, chapter 5.
 */
export async function readPartitions(
  disk: PositionedReader,
  name = 'the disk',
): Promise<Partition[]> {
  const problems: string[] = [];
  const last = Math.floor(disk.size / sectorSize) - 1;
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
  const table = await readGptTable(disk, lba);
  if (typeof table === 'string') return table;
  const partitions = parseEntries(table);
  const outside = partitions.find(({ start, size }) => size <= 0 || start + size > disk.size);
  return outside === undefined ? partitions : `partition ${outside.number} is outside`;
}

/** The partitions that a table has. Whether they make sense is for the caller to judge. */
export function parseEntries({ entries, entrySize }: GptTable): Partition[] {
  const partitions: Partition[] = [];
  for (let index = 0; (index + 1) * entrySize <= entries.length; index += 1) {
    const entry = entries.subarray(index * entrySize, (index + 1) * entrySize);
    const type = readGuid(entry, 0);
    if (/^[0-]*$/.test(type)) continue;
    const [first, end] = [Number(entry.readBigUInt64LE(32)), Number(entry.readBigUInt64LE(40))];
    partitions.push({
      number: index + 1,
      name: entry.toString('utf16le', 56, 128).replace(/\0.*$/s, ''),
      uuid: readGuid(entry, 16),
      type,
      start: first * sectorSize,
      size: (end + 1 - first) * sectorSize,
    });
  }
  return partitions;
}

/** The GUID at a position, as text in lower case: its first three fields are little-endian. */
export function readGuid(bytes: Buffer, at: number): string {
  const field = (from: number, to: number) => bytes.subarray(at + from, at + to);
  const reversed = (from: number, to: number) => Buffer.from(field(from, to)).reverse();
  return [reversed(0, 4), reversed(4, 6), reversed(6, 8), field(8, 10), field(10, 16)]
    .map((part) => part.toString('hex'))
    .join('-');
}
