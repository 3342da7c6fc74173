import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Section } from '../elf/elf.ts';
import { smallNumber } from '../elf/numbers.ts';

/** What differs between versions of Go. */
interface Version {
  /** Bytes of a function's record before its lists. */
  readonly recordSize: number;
  /** Number of the word with the address of the data in the description of the program. */
  readonly data: number;
}

/** By the first word of the table: of Go 1.18 and 1.19; of 1.20 and later. */
const versions: Readonly<Record<number, Version>> = {
  4294967280: { recordSize: 40, data: 38 },
  4294967281: { recordSize: 44, data: 40 },
};
const headerSize = 72;

/** Where the parts of the table begin, from its start; that of functions goes on to the end. */
export interface TableHeader {
  readonly version: Version;
  /** How many functions there are. */
  readonly count: number;
  readonly names: number;
  readonly units: number;
  readonly files: number;
  readonly values: number;
  readonly functions: number;
}

/** Reads the header of a table of functions; `undefined` for anything else. */
export async function readTableHeader(
  file: PositionedReader,
  table: Section,
): Promise<TableHeader | undefined> {
  if (table.size < headerSize) return undefined;
  const header = await file.read(table.offset, headerSize);
  const version = versions[header.readUInt32LE(0)];
  if (version === undefined || header[7] !== 8) return undefined;
  const [count, ...starts] = [8, 32, 40, 48, 56, 64].map((at) => smallNumber(header, at) ?? 0);
  const isOrdered = starts.every((start, index) => start >= (starts[index - 1] ?? headerSize));
  const [names = 0, units = 0, files = 0, values = 0, functions = 0] = starts;
  if (!count || !isOrdered || functions + 8 * count + 4 > table.size) return undefined;
  return { version, count, names, units, files, values, functions };
}
