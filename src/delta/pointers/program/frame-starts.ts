import type { PositionedReader } from '../../../ports/positioned-reader.ts';
import type { Section } from '../elf/elf.ts';
import { findRecordStarts, type PageStarts, type RecordKind } from '../elf/record-starts.ts';

const frameRecords: RecordKind = {
  ahead: 4,
  most: Number.POSITIVE_INFINITY,
  lengthOf: (bytes, at) => 4 + bytes.readUInt32LE(at),
};

/** Where the frames of a program begin, which unwind its stack. `undefined` when there are too many. */
export async function findFrameStarts(
  file: PositionedReader,
  section: Section,
): Promise<PageStarts | undefined> {
  return (await findRecordStarts(file, section, frameRecords))?.starts;
}
