import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Elf, Section, SectionKind } from './elf.ts';
import { sectionHeaderSize } from './entry-sizes.ts';
import { addressAt, smallNumber } from './numbers.ts';

const sectionType = { progbits: 1, rela: 4, dynamic: 6, nobits: 8, dynsym: 11, init: 14, fini: 15 };
const unwindType = 0x70000001;
const hashType = 0x6ffffff6;
const sectionFlag = { write: 1, alloc: 2, execute: 4 };

/** What the kind of a section depends on, beside its header. */
interface Around {
  readonly frameIndex: number | undefined;
  /** Address of the frames that the index is of. */
  readonly frames: number | undefined;
  readonly isKernel: boolean;
}

/** Finds the sections that pointers are looked for in, by the section headers, `table`. */
export async function readSections(
  file: PositionedReader,
  table: Buffer,
  around: Around,
): Promise<Section[]> {
  const sections: Section[] = [];
  for (let at = 0; at < table.length; at += sectionHeaderSize) {
    const found = readSection(table.subarray(at, at + sectionHeaderSize), around);
    if (found === undefined || found.offset + found.size > file.size) continue;
    const section = found.kind === 'buckets' ? await findBuckets(file, found) : found;
    if (section !== undefined) sections.push(section);
  }
  return sections;
}

/** Of a table of hashed names (DT_GNU_HASH) the part that holds numbers of symbols: the first one with each hash. */
async function findBuckets(
  file: PositionedReader,
  { kind, offset, size, address }: Section,
): Promise<Section | undefined> {
  if (size < 16) return undefined;
  const header = await file.read(offset, 16);
  const [before, length] = [16 + 8 * header.readUInt32LE(8), 4 * header.readUInt32LE(0)];
  if (length === 0 || before + length > size) return undefined;
  return { kind, offset: offset + before, size: length, address: address + before };
}

/** Where the symbols and their names are: the first section of symbols says which one has the names. */
export function findSymbols(table: Buffer): Pick<Elf, 'symbols' | 'names'> {
  for (let at = 0; at < table.length; at += sectionHeaderSize) {
    if (table.readUInt32LE(at + 4) !== sectionType.dynsym) continue;
    const names = table.readUInt32LE(at + 40) * sectionHeaderSize;
    return {
      symbols: smallNumber(table, at + 16),
      names: names < table.length ? smallNumber(table, names + 16) : undefined,
    };
  }
  return { symbols: undefined, names: undefined };
}

function readSection(entry: Buffer, { frameIndex, frames, isKernel }: Around): Section | undefined {
  const type = entry.readUInt32LE(4);
  const [flags, address] = [smallNumber(entry, 8), addressAt(entry, 16)];
  const [offset, size] = [smallNumber(entry, 24), smallNumber(entry, 32)];
  if (flags === undefined || address === undefined) return undefined;
  if (offset === undefined || size === undefined || size === 0) return undefined;
  const kind = sectionKind(type, flags, address, frameIndex, frames);
  if (kind === undefined) return undefined;
  const isData = kind === 'pointers' || kind === 'tables';
  return { kind: isKernel && isData ? 'kernel-data' : kind, offset, size, address };
}

function sectionKind(
  type: number,
  flags: number,
  address: number,
  frameIndex: number | undefined,
  frames: number | undefined,
): SectionKind | undefined {
  if ((flags & sectionFlag.alloc) === 0 || type === sectionType.nobits) return undefined;
  if (type === sectionType.rela) return 'relocations';
  if (type === sectionType.dynsym) return 'symbols';
  if (type === hashType) return 'buckets';
  if (frames !== undefined && address === frameIndex) return 'frame-index';
  if (address === frames) return 'frames';
  if (type === unwindType) return undefined;
  const { dynamic, init, fini, progbits } = sectionType;
  if (type === dynamic || type === init || type === fini) return 'pointers';
  if (type !== progbits) return undefined;
  if ((flags & sectionFlag.execute) !== 0) return 'code';
  return (flags & sectionFlag.write) !== 0 ? 'pointers' : 'tables';
}
