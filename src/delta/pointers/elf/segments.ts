import { elfHeaderRoom, isObjectFile, machineOf, programHeaders } from './header.ts';
import { addressAt, smallNumber } from './numbers.ts';

/** A piece of an ELF file that is loaded: where it lies in the file, and at which address in memory. */
export interface Segment {
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

/** In an object file, addresses are places in the file: all of it is one segment, whatever its size. */
export const wholeFile: readonly Segment[] = [
  { offset: 0, address: 0, fileSize: 2 ** 46, memorySize: 2 ** 46 },
];

/** PT_LOAD. */
const loadedSegment = 1;

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
    if (entry.readUInt32LE(0) !== loadedSegment) continue;
    const [offset, address] = [smallNumber(entry, 8), addressAt(entry, 16)];
    const [fileSize, memorySize] = [smallNumber(entry, 32), smallNumber(entry, 40)];
    const numbers = [offset, address, fileSize, memorySize];
    if (numbers.some((number) => number === undefined)) return undefined;
    segments.push({ offset, address, fileSize, memorySize } as Segment);
  }
  return segments.length > 0 ? segments : undefined;
}

/** The place in the file of what is loaded at an address. */
export function offsetOf(segments: readonly Segment[], address: number): number | undefined {
  for (const segment of segments) {
    const inside = address - segment.address;
    if (inside >= 0 && inside < segment.fileSize) return segment.offset + inside;
  }
  return undefined;
}

/** The other way round: the address at which a byte of the file is loaded. */
export function addressOf(segments: readonly Segment[], offset: number): number | undefined {
  for (const segment of segments) {
    const inside = offset - segment.offset;
    if (inside >= 0 && inside < segment.fileSize) return segment.address + inside;
  }
  return undefined;
}
