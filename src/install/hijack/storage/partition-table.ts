import { type Partition, readPartitions } from '../../../disk/gpt.ts';
import { PineError } from '../../../error.ts';
import type { PositionedReader } from '../../../ports/positioned-reader.ts';

/** A partition of either kind of table. Positions and sizes are bytes. */
export interface TablePartition {
  readonly number: number;
  readonly start: number;
  readonly size: number;
  /** A GPT type GUID in lower case, or an MBR type as `0x83`. */
  readonly type: string;
}

export interface PartitionTable {
  readonly kind: 'gpt' | 'mbr';
  readonly partitions: readonly TablePartition[];
  /** Whether GRUB's boot code is in the first sector. */
  readonly grubInFirstSector: boolean;
}

const sector = 512;
const extendedTypes = [0x05, 0x0f, 0x85];
const protective = 0xee;
/** More logical partitions than any tool makes: a chain that is longer leads in a circle. */
const mostLogical = 128;

/**
 * Reads the partition table of a disk with sectors of 512 bytes, GPT or MBR with logical partitions.
 * Throws CORRUPT_PARTITION_TABLE, or CORRUPT_GPT. Source: UEFI 2.10, chapter 5.2.
 */
export async function readPartitionTable(
  disk: PositionedReader,
  name: string,
): Promise<PartitionTable> {
  const first = await disk.read(0, sector);
  if (first.readUInt16LE(510) !== 0xaa55) throw corrupt(name, 'no signature in its first sector');
  // boot.S of GRUB: what it says when it fails
  const grubInFirstSector = /GRUB .Geom.Hard Disk.Read. Error/s.test(
    first.toString('latin1', 0, 440),
  );
  const entries = entriesOf(first);
  if (entries.some(({ type }) => type === protective)) {
    const partitions = await readPartitions(disk, name);
    return { kind: 'gpt', partitions: partitions.map(plain), grubInFirstSector };
  }
  const primary = entries.map(({ index, type, start, size }) => ({
    ...{ number: index + 1, start: start * sector, size: size * sector },
    type: typeText(type),
  }));
  const extended = entries.find(({ type }) => extendedTypes.includes(type));
  const logical = extended === undefined ? [] : await readLogical(disk, extended.start, name);
  const partitions = [...primary, ...logical];
  const outside = partitions.find(({ start, size }) => start < sector || start + size > disk.size);
  if (outside !== undefined) throw corrupt(name, `partition ${outside.number} is outside`);
  return { kind: 'mbr', partitions, grubInFirstSector };
}

/** Whether it only holds others. */
export function isExtended({ type }: TablePartition): boolean {
  return extendedTypes.map(typeText).includes(type);
}

function plain({ number, start, size, type }: Partition): TablePartition {
  return { number, start, size, type };
}

function typeText(type: number): string {
  return `0x${type.toString(16).padStart(2, '0')}`;
}

function entriesOf(bytes: Buffer) {
  return [0, 1, 2, 3]
    .map((index) => ({
      index,
      type: bytes.readUInt8(446 + index * 16 + 4),
      start: bytes.readUInt32LE(446 + index * 16 + 8),
      size: bytes.readUInt32LE(446 + index * 16 + 12),
    }))
    .filter(({ type, size }) => type !== 0 && size > 0);
}

/** A chain of sectors in the extended partition: each has one partition, and where the next sector is. */
async function readLogical(
  disk: PositionedReader,
  extended: number,
  name: string,
): Promise<TablePartition[]> {
  const found: TablePartition[] = [];
  for (let at = extended, number = 5; ; number += 1) {
    if (number > mostLogical || (at + 1) * sector > disk.size) {
      throw corrupt(name, 'a chain of logical partitions without an end');
    }
    const bytes = await disk.read(at * sector, sector);
    if (bytes.readUInt16LE(510) !== 0xaa55) throw corrupt(name, 'a damaged logical partition');
    const entries = entriesOf(bytes);
    for (const { type, start, size } of entries) {
      if (extendedTypes.includes(type)) continue;
      const place = { start: (at + start) * sector, size: size * sector };
      found.push({ number, type: typeText(type), ...place });
    }
    const next = entries.find(({ type }) => extendedTypes.includes(type));
    if (next === undefined) return found;
    at = extended + next.start;
  }
}

function corrupt(name: string, found: string): PineError {
  return new PineError(
    'CORRUPT_PARTITION_TABLE',
    'the disk has no partition table that pine reads',
    {
      expected: 'a GPT or an MBR',
      found,
      where: name,
      remedy: 'look at it with `sfdisk --verify`; a disk without partitions can not be taken over',
    },
  );
}
