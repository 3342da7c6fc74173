import { InvalidLz4 } from '../../lz4/block-format.ts';
import { legacyBlocks, legacyMagic, type ReadBytes } from '../../lz4/legacy-frame.ts';

/** A part of a file that is compressed. Bytes. */
export interface Payload {
  readonly codec: number;
  readonly offset: number;
  readonly size: number;
  /** What the codec needs beside the content to make it again. */
  readonly parameters: readonly number[];
}

/** The setup header of a kernel for x86 (Linux' Documentation/arch/x86/boot.rst), as far as it is needed. */
const setup = { sectors: 0x1f1, magic: 0x202, version: 0x206, payload: 0x248, length: 0x24c };
const setupSize = 0x250;
const sectorSize = 512;
/** The first version that tells where the payload is. */
const firstVersion = 0x0208;
/** The length of the content stands behind what is compressed. */
const contentSize = 4;

/** Where the compressed kernel is in a file of `size` bytes, if that is a kernel whose payload has a known codec. */
export async function findKernelPayload(
  read: ReadBytes,
  size: number,
): Promise<Payload | undefined> {
  if (size < setupSize) return undefined;
  const bytes = await read(0, setupSize);
  const header = new DataView(bytes.buffer, bytes.byteOffset, setupSize);
  if (header.getUint32(setup.magic) !== 0x48647253) return undefined;
  if (header.getUint16(setup.version, true) < firstVersion) return undefined;
  const sectors = header.getUint8(setup.sectors) || 4;
  const offset = (sectors + 1) * sectorSize + header.getUint32(setup.payload, true);
  const length = header.getUint32(setup.length, true) - contentSize;
  if (length < 4 || offset + length > size) return undefined;
  return findLz4(read, offset, length);
}

async function findLz4(
  read: ReadBytes,
  offset: number,
  size: number,
): Promise<Payload | undefined> {
  const start = await read(offset, 4);
  const magic = new DataView(start.buffer, start.byteOffset, 4).getUint32(0, true);
  if (magic !== legacyMagic) return undefined;
  try {
    const blocks = await legacyBlocks((at, length) => read(offset + at, length), size);
    return { codec: 1, offset, size, parameters: blocks };
  } catch (error) {
    if (error instanceof InvalidLz4) return undefined;
    throw error;
  }
}
