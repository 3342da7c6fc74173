import { crc32 } from 'node:zlib';
import type { PositionedReader } from '../ports/positioned-reader.ts';

/** Bytes of a sector: pine's disks have these. */
export const sectorSize = 512;

/** A GPT as it lies on a disk, its checksums right. Positions are sectors (LBA). */
export interface GptTable {
  /** The header's sector, whole. */
  readonly header: Buffer;
  /** The array of entries. */
  readonly entries: Buffer;
  readonly entrySize: number;
  /** Where the array lies. */
  readonly entriesLba: number;
  /** Where this header says that the other one is. */
  readonly alternateLba: number;
  readonly lastUsableLba: number;
}

/**
 * The table whose header is in sector `lba`, or in words what is wrong with it. Source: UEFI 2.10, chapter 5.
 */
export async function readGptTable(
  disk: PositionedReader,
  lba: number,
): Promise<GptTable | string> {
  if (lba < 1 || (lba + 1) * sectorSize > disk.size) return 'the disk is too small';
  const header = await disk.read(lba * sectorSize, sectorSize);
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return 'no "EFI PART"';
  const headerSize = header.readUInt32LE(12);
  if (headerSize < 92 || headerSize > sectorSize) return `a header of ${headerSize} bytes`;
  if (headerChecksum(header) !== header.readUInt32LE(16)) return 'a wrong header checksum';
  if (Number(header.readBigUInt64LE(24)) !== lba) return 'a header of another place';

  const entriesLba = Number(header.readBigUInt64LE(72));
  const count = header.readUInt32LE(80);
  const entrySize = header.readUInt32LE(84);
  if (entrySize < 128 || entrySize > 4096 || count > 1024)
    return `${count} entries of ${entrySize} bytes`;
  const size = count * entrySize;
  if (entriesLba * sectorSize + size > disk.size) return 'entries outside the disk';
  const entries = await disk.read(entriesLba * sectorSize, size);
  if (crc32(entries) !== header.readUInt32LE(88)) return 'a wrong checksum of the entries';
  return {
    header,
    entries,
    entrySize,
    entriesLba,
    alternateLba: Number(header.readBigUInt64LE(32)),
    lastUsableLba: Number(header.readBigUInt64LE(48)),
  };
}

/** The checksum that a header has to have at byte 16. */
export function headerChecksum(header: Buffer): number {
  const bytes = Buffer.from(header.subarray(0, header.readUInt32LE(12)));
  bytes.writeUInt32LE(0, 16);
  return crc32(bytes);
}
