import type { ReadBytes } from '../../ports/read-bytes.ts';

/** The setup header of a kernel for x86 (Linux' Documentation/arch/x86/boot.rst), as far as it is needed. */
const setup = { sectors: 0x1f1, magic: 0x202, version: 0x206, payload: 0x248, length: 0x24c };
const setupSize = 0x250;
const sectorSize = 512;
/** The first version that tells where the payload is. */
const firstVersion = 0x0208;

/** Where the compressed kernel is in a file of `size` bytes, if that is a kernel. Bytes. */
export async function findKernelPayload(
  read: ReadBytes,
  size: number,
): Promise<{ readonly offset: number; readonly size: number } | undefined> {
  if (size < setupSize) return undefined;
  const bytes = await read(0, setupSize);
  const header = new DataView(bytes.buffer, bytes.byteOffset, setupSize);
  if (header.getUint32(setup.magic) !== 0x48647253) return undefined;
  if (header.getUint16(setup.version, true) < firstVersion) return undefined;
  const sectors = header.getUint8(setup.sectors) || 4;
  const offset = (sectors + 1) * sectorSize + header.getUint32(setup.payload, true);
  const length = header.getUint32(setup.length, true);
  return offset + length <= size ? { offset, size: length } : undefined;
}
