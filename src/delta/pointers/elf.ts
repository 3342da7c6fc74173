import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { type BtfLayout, readBtfLayout } from './btf-layout.ts';
import { addressAt, smallNumber } from './elf-number.ts';
import { findSymbols, readSections, sectionHeaderSize } from './elf-sections.ts';
import { placeGoTables } from './go-sections.ts';
import type { GoTables } from './go-tables.ts';
import { isObjectFile, type ObjectFile, readObjectFile, wholeFile } from './object-file.ts';

/** A piece of an ELF file that is loaded: where it lies in the file, and at which address in memory. */
export interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** What a section holds that pointers are looked for in. */
export type SectionKind =
  | 'code'
  | 'relocations'
  | 'symbols'
  | 'pointers'
  | 'frames'
  | 'frame-index'
  | 'tables'
  | 'object-relocations'
  | 'object-symbols'
  | 'section-headers'
  | 'buckets'
  | 'kernel-data'
  | 'go-units'
  | 'go-functions'
  | 'go-records'
  | 'go-buckets'
  | 'go-inlined'
  | 'go-links'
  | 'go-types'
  | 'address-list'
  | 'btf';

export interface Section {
  readonly kind: SectionKind;
  readonly offset: number;
  readonly size: number;
  readonly address: number;
  /** Of an object file's relocations: where the section begins that they are about, and whether it is code. */
  readonly target?: { readonly start: number; readonly isCode: boolean };
}

/** The processor that a file is for, by its number in the ELF header. */
export type Machine = 'x86-64' | 'arm64';
const machines: Readonly<Record<number, Machine>> = { 62: 'x86-64', 183: 'arm64' };

/** The parts of an ELF file that matter for pointers. */
export interface Elf {
  readonly machine: Machine;
  /** Whether it is linked for a fixed address (ET_EXEC): its code and constants hold addresses as they are. */
  readonly isFixed: boolean;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
  /** Address of the frame index (PT_GNU_EH_FRAME), which its entries are relative to. */
  readonly frameIndex: number | undefined;
  /** Addresses of the table of symbols that are linked at run time, and of their names. */
  readonly symbols: number | undefined;
  readonly names: number | undefined;
  /** The types that a kernel or a module tells (BTF). */
  readonly btf?: BtfLayout | undefined;
  /** Of a file that is not linked yet. */
  readonly objectFile?: ObjectFile;
  /** Of a program in Go: what its tables are relative to. */
  readonly go?: GoTables;
}

/** Program headers must lie in the first so many bytes. Nothing there is ever predicted. */
export const elfHeaderRoom = 1024;
const programHeaderSize = 56;
const maxSections = 1024;

/** ET_EXEC. */
const fixedProgram = 2;
const programType = { load: 1, frameIndex: 0x6474e550 };
/**
 * Reads the program headers from the beginning of a file. `undefined` for what is no little-endian
 * 64-bit ELF program or library for x86-64 or arm64 with its program headers in front, nor an object file.
 */
export function readSegments(start: Uint8Array): readonly Segment[] | undefined {
  const header = Buffer.from(start.buffer, start.byteOffset, Math.min(start.length, elfHeaderRoom));
  if (header.length < 64 || header.readUInt32BE(0) !== 0x7f454c46) return undefined;
  if (header.readUInt16LE(4) !== 0x0102 || machineOf(header) === undefined) return undefined;
  if (isObjectFile(header)) return wholeFile;
  const segments: Segment[] = [];
  for (const entry of programHeaders(header)) {
    if (entry.readUInt32LE(0) !== programType.load) continue;
    const [offset, address] = [smallNumber(entry, 8), addressAt(entry, 16)];
    const [fileSize, memorySize] = [smallNumber(entry, 32), smallNumber(entry, 40)];
    const numbers = [offset, address, fileSize, memorySize];
    if (numbers.some((number) => number === undefined)) return undefined;
    segments.push({ offset, address, fileSize, memorySize } as Segment);
  }
  return segments.length > 0 ? segments : undefined;
}

function machineOf(header: Buffer): Machine | undefined {
  return machines[header.readUInt16LE(18)];
}

function programHeaders(header: Buffer): Buffer[] {
  const start = smallNumber(header, 32) ?? elfHeaderRoom;
  const count = header.readUInt16LE(56);
  const end = start + count * programHeaderSize;
  if (header.readUInt16LE(54) !== programHeaderSize || end > header.length) return [];
  return Array.from({ length: count }, (_, index) =>
    header.subarray(start + index * programHeaderSize, start + (index + 1) * programHeaderSize),
  );
}

/**
 * Reads what an ELF file says of itself. `undefined` for one that is not of the kind that is predicted,
 * or that is odd in any way: it is only a source of guesses.
 */
export async function readElf(file: PositionedReader): Promise<Elf | undefined> {
  const header = await file.read(0, Math.min(elfHeaderRoom, file.size));
  const segments = readSegments(header);
  const machine = segments === undefined ? undefined : machineOf(header);
  if (segments === undefined || machine === undefined) return undefined;
  const isKernel = segments.some(({ address }) => address < 0);
  const found = programHeaders(header).find(
    (entry) => entry.readUInt32LE(0) === programType.frameIndex,
  );
  const frameIndex = found === undefined ? undefined : addressAt(found, 16);
  const start = smallNumber(header, 40);
  const count = header.readUInt16LE(60);
  const size = count * sectionHeaderSize;
  if (start === undefined || start + size > file.size || count > maxSections) return undefined;
  if (header.readUInt16LE(58) !== sectionHeaderSize) return undefined;
  const table = await file.read(start, size);
  if (isObjectFile(header)) return readObjectFile(file, machine, table, start);
  const frames = await framesAddress(file, segments, frameIndex);
  const sections = await readSections(file, table, { frameIndex, frames, isKernel });
  const btf = isKernel ? await takeTypes(file, sections) : undefined;
  if (isKernel) sections.push(...addressList(start + size, file.size));
  const names = header.readUInt16LE(62);
  const go = await placeGoTables(file, { table, names, machine, segments, sections });
  const isFixed = header.readUInt16LE(16) === fixedProgram;
  return {
    machine,
    isFixed,
    segments,
    sections,
    frameIndex,
    btf,
    ...findSymbols(table),
    ...(go && { go }),
  };
}

/** The frame index begins with four bytes of encoding and the distance to the frames. */
async function framesAddress(
  file: PositionedReader,
  segments: readonly Segment[],
  frameIndex: number | undefined,
): Promise<number | undefined> {
  if (frameIndex === undefined) return undefined;
  const offset = offsetOf(segments, frameIndex);
  if (offset === undefined || offset + 8 > file.size) return undefined;
  const start = await file.read(offset, 8);
  return start.readUInt32BE(0) === 0x011b033b ? frameIndex + 4 + start.readInt32LE(4) : undefined;
}

/** Of a kernel's data the first section that has types: only these are looked at in it. */
async function takeTypes(
  file: PositionedReader,
  sections: Section[],
): Promise<BtfLayout | undefined> {
  for (const [index, section] of sections.entries()) {
    if (section.kind !== 'kernel-data') continue;
    const btf = await readBtfLayout(file, section);
    if (btf === undefined) continue;
    sections[index] = { kind: 'btf', ...btf.types, address: section.address };
    return btf;
  }
  return undefined;
}

/** Behind a kernel's section headers lie the places of all its addresses, for when it is loaded elsewhere. */
function addressList(offset: number, end: number): Section[] {
  return offset < end ? [{ kind: 'address-list', offset, size: end - offset, address: 0 }] : [];
}

/** The place in the file of what is loaded at an address. */
export function offsetOf(segments: readonly Segment[], address: number): number | undefined {
  for (const segment of segments) {
    const inside = address - segment.address;
    if (inside >= 0 && inside < segment.fileSize) return segment.offset + inside;
  }
  return undefined;
}
