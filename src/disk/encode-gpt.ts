import { crc32 } from 'node:zlib';

/** A partition for a new table. Positions and sizes are bytes, whole sectors of 512. */
export interface GptEntry {
  readonly number: number;
  readonly name: string;
  /** GUIDs as text, in either case. */
  readonly type: string;
  readonly uuid: string;
  readonly start: number;
  readonly size: number;
}

/** A table as it lies on a disk. */
export interface EncodedGpt {
  /** 64 bytes for position 446 of the first sector: one entry that covers the disk. */
  readonly protective: Buffer;
  /** Header and entries, for sector 1 on. */
  readonly primary: Buffer;
  /** Entries and header, for the last 33 sectors. */
  readonly backup: Buffer;
}

const sector = 512;
const entrySize = 128;
const entryCount = 128;
/** Sectors of the entries. */
const entrySectors = (entrySize * entryCount) / sector;

/** Bytes at each end of a disk that a table takes, the protective sector not counted. */
export const gptSize = (entrySectors + 1) * sector;

/**
 * Encodes a GPT with 128 entries for a disk of `diskSize` bytes. Throws RangeError for partitions that
 * overlap, lie outside, or have a number twice. Source: UEFI 2.10, chapter 5.
 */
export function encodeGpt(
  diskSize: number,
  diskUuid: string,
  partitions: readonly GptEntry[],
): EncodedGpt {
  const last = Math.floor(diskSize / sector) - 1;
  checkPlaces(partitions, last);
  const entries = Buffer.alloc(entrySize * entryCount);
  for (const { number, name, type, uuid, start, size } of partitions) {
    const entry = entries.subarray((number - 1) * entrySize, number * entrySize);
    guidBytes(type).copy(entry, 0);
    guidBytes(uuid).copy(entry, 16);
    entry.writeBigUInt64LE(BigInt(start / sector), 32);
    entry.writeBigUInt64LE(BigInt((start + size) / sector - 1), 40);
    entry.write(name, 56, 72, 'utf16le');
  }
  const header = (own: number, other: number, entriesAt: number) => {
    const bytes = Buffer.alloc(sector);
    bytes.write('EFI PART', 0, 'latin1');
    bytes.writeUInt32LE(0x00010000, 8);
    bytes.writeUInt32LE(92, 12);
    const numbers: readonly (readonly [number, number])[] = [
      [24, own],
      [32, other],
      [40, entrySectors + 2],
      [48, last - entrySectors - 1],
      [72, entriesAt],
    ];
    for (const [at, value] of numbers) bytes.writeBigUInt64LE(BigInt(value), at);
    guidBytes(diskUuid).copy(bytes, 56);
    bytes.writeUInt32LE(entryCount, 80);
    bytes.writeUInt32LE(entrySize, 84);
    bytes.writeUInt32LE(crc32(entries), 88);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 92)), 16);
    return bytes;
  };
  const protective = Buffer.alloc(64);
  protective.writeUIntBE(0x000200, 1, 3); // the first sector that it covers, as cylinder, head, sector
  protective.writeUInt8(0xee, 4);
  protective.writeUIntBE(0xffffff, 5, 3);
  protective.writeUInt32LE(1, 8);
  protective.writeUInt32LE(Math.min(last, 0xffffffff), 12);
  return {
    protective,
    primary: Buffer.concat([header(1, last, 2), entries]),
    backup: Buffer.concat([entries, header(last, 1, last - entrySectors)]),
  };
}

function checkPlaces(partitions: readonly GptEntry[], last: number): void {
  const numbers = new Set(partitions.map(({ number }) => number));
  if (numbers.size !== partitions.length) throw new RangeError('a number is there twice');
  let end = gptSize + sector;
  for (const { number, start, size } of [...partitions].sort((a, b) => a.start - b.start)) {
    const inside = start >= end && size > 0 && start + size <= (last - entrySectors) * sector;
    const whole = start % sector === 0 && size % sector === 0;
    if (!inside || !whole || number < 1 || number > entryCount) {
      throw new RangeError(`partition ${number}: ${size} bytes at ${start}`);
    }
    end = start + size;
  }
}

/** A GUID's bytes: its first three fields are little-endian. */
function guidBytes(text: string): Buffer {
  const hex = text.replaceAll('-', '');
  if (!/^[0-9a-f]{32}$/i.test(hex)) throw new RangeError(`no GUID: ${text}`);
  const bytes = Buffer.from(hex, 'hex');
  bytes.subarray(0, 4).reverse();
  bytes.subarray(4, 6).reverse();
  bytes.subarray(6, 8).reverse();
  return bytes;
}
