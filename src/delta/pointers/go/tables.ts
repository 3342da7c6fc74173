import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Section, SectionKind } from '../elf/elf.ts';
import { findRecordStarts, type PageStarts, type RecordStarts } from '../elf/record-starts.ts';
import { offsetOf, type Segment } from '../elf/segments.ts';
import { findModule, type GoModule, type GoRange } from './module.ts';
import { readTableHeader, type TableHeader } from './table-header.ts';

/** What the tables that a Go program has of its own functions and types are relative to. */
export interface GoTables {
  readonly text: GoRange;
  readonly names: GoRange;
  readonly units: GoRange;
  readonly files: GoRange;
  /** What a function has for each of its instructions: lines, files, the stack. */
  readonly values: GoRange;
  /** The list of functions, and behind it a record of each. */
  readonly functions: GoRange;
  /** What the collector and inlining need of functions. */
  readonly data: GoRange;
  readonly types: GoRange;
  /** Bytes of a record before its lists. */
  readonly recordSize: number;
  /** Where in each page the first record begins. */
  readonly records: PageStarts;
}

/** Bytes of a bucket. */
export const bucketSize = 20;
/** A bucket is of so many bytes of code. */
const bucketCode = 4096;

/** The tables, the parts of the file that they are, and how many bytes that of functions has. */
interface FoundTables {
  readonly go: GoTables;
  readonly parts: readonly Section[];
  readonly size: number;
}

/**
 * Reads where a Go program has its tables. `table` begins with that of functions; one of `sections` has the description
 * of the program, which leads to the others. `undefined` when anything is odd.
 */
export async function readGoTables(
  file: PositionedReader,
  segments: readonly Segment[],
  table: Section,
  sections: readonly Section[],
): Promise<FoundTables | undefined> {
  const header = await readTableHeader(file, table);
  if (header === undefined) return undefined;
  const { version, count, names, units, files, values, functions } = header;
  const places = { table: table.address, names: table.address + names, data: version.data };
  const written = sections.filter(({ kind }) => kind === 'pointers');
  const module = await findModule(file, written, places);
  const records = await findRecords(file, table, header);
  if (module === undefined || records === undefined) return undefined;
  const within = (from: number, to: number): GoRange => ({
    address: table.address + from,
    size: to - from,
  });
  const go: GoTables = {
    text: module.text,
    types: module.types,
    names: within(names, units),
    units: within(units, files),
    files: within(files, values),
    values: within(values, functions),
    functions: within(functions, table.size),
    data: dataOf(module, sections),
    recordSize: version.recordSize,
    records: records.starts,
  };
  const functionList = { address: go.functions.address, size: 8 * count + 4 };
  const recordList = within(records.from, records.to);
  const buckets = Math.ceil(go.text.size / bucketCode);
  const parts: readonly (readonly [SectionKind, GoRange | undefined])[] = [
    ['go-units', go.units],
    ['go-functions', functionList],
    ['go-records', recordList],
    ['go-buckets', { address: module.buckets, size: bucketSize * buckets }],
    ['go-inlined', version.recordSize === 44 ? go.data : undefined],
    ['go-types', go.types],
    ['go-links', module.links],
  ];
  const found = parts.flatMap(([kind, range]) => partOf(file, segments, kind, range));
  return { go, parts: found, size: records.to };
}

/** The data go on to the buckets, if these are in the same section behind them, else to its end. */
function dataOf({ data, buckets }: GoModule, sections: readonly Section[]): GoRange {
  const around = sections.find(({ address, size }) => data >= address && data < address + size);
  const end = around === undefined ? data : around.address + around.size;
  return { address: data, size: (buckets > data && buckets < end ? buckets : end) - data };
}

/** A part of the file by its address, if it is wholly there. */
function partOf(
  file: PositionedReader,
  segments: readonly Segment[],
  kind: SectionKind,
  range: GoRange | undefined,
): Section[] {
  if (range === undefined || range.size === 0) return [];
  const offset = offsetOf(segments, range.address);
  return offset === undefined || offset + range.size > file.size
    ? []
    : [{ kind, offset, ...range }];
}

/** Where the records begin and end, by a walk from the first one. */
async function findRecords(
  file: PositionedReader,
  table: Section,
  { version, functions, count }: TableHeader,
): Promise<(RecordStarts & { readonly from: number; readonly to: number }) | undefined> {
  const first = await file.read(table.offset + functions + 4, 4);
  const from = functions + first.readUInt32LE(0);
  if (from >= table.size) return undefined;
  const { recordSize } = version;
  const found = await findRecordStarts(
    file,
    { offset: table.offset + from, size: table.size - from },
    {
      ahead: recordSize,
      most: count,
      lengthOf(bytes, at) {
        const lists = bytes.readUInt32LE(at + 28) + (bytes[at + recordSize - 1] ?? 0);
        return 8 * Math.ceil((recordSize + 4 * lists) / 8);
      },
    },
  );
  return found && { ...found, from, to: found.end - table.offset };
}
