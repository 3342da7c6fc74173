import { crc32 } from 'node:zlib';
import { parseEntries } from './gpt.ts';
import { type GptTable, headerChecksum, sectorSize } from './gpt-table.ts';

/** Bytes for a place on the disk. */
export interface TableWrite {
  readonly position: number;
  readonly bytes: Buffer;
}

/** How a partition is made longer. Sizes are bytes. */
export interface GrowthPlan {
  /** Its number in the table, from 1 on. */
  readonly number: number;
  readonly before: number;
  readonly after: number;
  /** Each is on stable storage before the next begins. */
  readonly stages: readonly (readonly TableWrite[])[];
}

/** Less than this is not worth a write; a layout leaves up to a MiB at the end of a disk. */
const leastGrowth = 16 << 20;
const mebibyte = 1 << 20;
const homeLba = 2;

/**
 * What to write so that the last partition fills a disk that has grown; `undefined` when there is nothing to do.
 *
 * A disk has grown when its table ends before it does. Then the partition grows if it reached to the end of that table:
 * whoever left room behind it did so on purpose. `table` is the primary one, `diskSize` bytes.
 *
 * S7: Linux reads a primary table that is whole, or none at all, so it must be whole at each moment, and header and entries
 * can't change in one write of one sector. Therefore the header first points to the new backup's entries, then the
 * entries at their usual place change, which nobody reads meanwhile, and then it points there again.
 */
export function planGrowth(
  table: GptTable,
  diskSize: number,
  name: string,
): GrowthPlan | undefined {
  const sectors = Math.floor(diskSize / sectorSize);
  const partition = parseEntries(table).find((entry) => entry.name === name);
  if (partition === undefined) return undefined;
  const arraySectors = Math.ceil(table.entries.length / sectorSize);
  const backup = sectors - 1;
  const backupEntries = backup - arraySectors;
  const grown = newSize(table, partition, backupEntries);
  // What a cut has left: the entries are still the backup's.
  const isCut = table.entriesLba === table.alternateLba - arraySectors;
  if (!isCut && table.entriesLba !== homeLba) return undefined;
  if (grown === undefined && !(isCut && table.alternateLba === backup)) return undefined;
  const end = (homeLba + arraySectors) * sectorSize;
  if (parseEntries(table).some(({ start }) => start < end)) return undefined;

  const after = grown ?? partition.size;
  const entries = Buffer.from(table.entries);
  const last = BigInt((partition.start + after) / sectorSize - 1);
  entries.writeBigUInt64LE(last, (partition.number - 1) * table.entrySize + 40);
  const header = (own: number, alternate: number, entriesLba: number): TableWrite => ({
    position: own * sectorSize,
    bytes: makeHeader(
      table.header,
      { own, alternate, entriesLba, lastUsable: backupEntries - 1 },
      entries,
    ),
  });
  return {
    number: partition.number,
    before: partition.size,
    after,
    stages: [
      [{ position: backupEntries * sectorSize, bytes: entries }, header(backup, 1, backupEntries)],
      [header(1, backup, backupEntries)],
      [{ position: homeLba * sectorSize, bytes: entries }],
      [header(1, backup, homeLba)],
    ],
  };
}

/** The size that a partition can have, in bytes; `undefined` when it should stay as it is. `end` is the first sector behind it. */
function newSize(
  table: GptTable,
  { start, size }: { readonly start: number; readonly size: number },
  end: number,
): number | undefined {
  const reached = (table.lastUsableLba + 1) * sectorSize - (start + size);
  const isLast = parseEntries(table).every((entry) => entry.start <= start);
  if (!isLast || reached < 0 || reached >= leastGrowth) return undefined;
  const after = Math.floor((end * sectorSize) / mebibyte) * mebibyte - start;
  return after - size >= leastGrowth ? after : undefined;
}

function makeHeader(
  from: Buffer,
  places: {
    readonly own: number;
    readonly alternate: number;
    readonly entriesLba: number;
    readonly lastUsable: number;
  },
  entries: Buffer,
): Buffer {
  const header = Buffer.from(from);
  header.writeBigUInt64LE(BigInt(places.own), 24);
  header.writeBigUInt64LE(BigInt(places.alternate), 32);
  header.writeBigUInt64LE(BigInt(places.lastUsable), 48);
  header.writeBigUInt64LE(BigInt(places.entriesLba), 72);
  header.writeUInt32LE(crc32(entries), 88);
  header.writeUInt32LE(headerChecksum(header), 16);
  return header;
}
