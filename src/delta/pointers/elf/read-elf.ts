import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import { placeGoTables } from '../go/place-tables.ts';
import { addressList, takeKernelTypes } from '../kernel/kernel-sections.ts';
import { readObjectFile } from '../object/object-file.ts';
import type { Elf } from './elf.ts';
import { sectionHeaderSize } from './entry-sizes.ts';
import {
  elfHeaderRoom,
  isFixedProgram,
  isObjectFile,
  machineOf,
  programHeaders,
} from './header.ts';
import { addressAt, smallNumber } from './numbers.ts';
import { findSymbols, readSections } from './sections.ts';
import { offsetOf, readSegments, type Segment } from './segments.ts';

const maxSections = 1024;
/** PT_GNU_EH_FRAME. */
const frameIndexHeader = 0x6474e550;

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
  const found = programHeaders(header).find((entry) => entry.readUInt32LE(0) === frameIndexHeader);
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
  const btf = isKernel ? await takeKernelTypes(file, sections) : undefined;
  if (isKernel) sections.push(...addressList(start + size, file.size));
  const names = header.readUInt16LE(62);
  const go = await placeGoTables(file, { table, names, machine, segments, sections });
  return {
    machine,
    isFixed: isFixedProgram(header),
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
