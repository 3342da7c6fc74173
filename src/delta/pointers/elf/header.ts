import type { Machine } from './elf.ts';
import { programHeaderSize } from './entry-sizes.ts';
import { smallNumber } from './numbers.ts';

/** Program headers must lie in the first so many bytes. Nothing there is ever predicted. */
export const elfHeaderRoom = 1024;

/** By their numbers in the header. */
const machines: Readonly<Record<number, Machine>> = { 62: 'x86-64', 183: 'arm64' };
/** ET_REL and ET_EXEC. */
const fileType = { object: 1, fixedProgram: 2 };

/** The processor that a file is for; `undefined` for one that is not known. */
export function machineOf(header: Buffer): Machine | undefined {
  return machines[header.readUInt16LE(18)];
}

/** Whether an ELF header is of an object file (ET_REL). */
export function isObjectFile(header: Buffer): boolean {
  return header.readUInt16LE(16) === fileType.object;
}

/** Whether it is of a program that is linked for a fixed address (ET_EXEC). */
export function isFixedProgram(header: Buffer): boolean {
  return header.readUInt16LE(16) === fileType.fixedProgram;
}

/** The program headers, which lie in front; none when they lie elsewhere. */
export function programHeaders(header: Buffer): Buffer[] {
  const start = smallNumber(header, 32) ?? elfHeaderRoom;
  const count = header.readUInt16LE(56);
  const end = start + count * programHeaderSize;
  if (header.readUInt16LE(54) !== programHeaderSize || end > header.length) return [];
  return Array.from({ length: count }, (_, index) =>
    header.subarray(start + index * programHeaderSize, start + (index + 1) * programHeaderSize),
  );
}
