import type { PositionedReader } from '../../../ports/positioned-reader.ts';

/** Where the records and the names of a section with the types of a kernel or a module (BTF) lie in the file. */
export interface BtfLayout {
  readonly types: { readonly offset: number; readonly size: number };
  readonly names: { readonly offset: number; readonly size: number };
}

const headerSize = 24;
/** Records of more bytes than this are not looked at: bounds memory. */
const maxTypes = 16 << 20;

/** Reads the header of a section that may be BTF; `undefined` for anything else. */
export async function readBtfLayout(
  file: PositionedReader,
  { offset, size }: { readonly offset: number; readonly size: number },
): Promise<BtfLayout | undefined> {
  if (size < headerSize || offset + size > file.size) return undefined;
  const header = await file.read(offset, headerSize);
  // The magic number, version 1, no flags.
  if (header.readUInt32BE(0) !== 0x9feb0100) return undefined;
  const [length, typesAt, typesSize] = [4, 8, 12].map((at) => header.readUInt32LE(at));
  const [namesAt, namesSize] = [16, 20].map((at) => header.readUInt32LE(at));
  if (length === undefined || typesAt === undefined || typesSize === undefined) return undefined;
  if (namesAt === undefined || namesSize === undefined) return undefined;
  const isInside = length + typesAt + typesSize <= size && length + namesAt + namesSize <= size;
  if (length < headerSize || !isInside || typesSize === 0 || typesSize > maxTypes) return undefined;
  return {
    types: { offset: offset + length + typesAt, size: typesSize },
    names: { offset: offset + length + namesAt, size: namesSize },
  };
}
