/** Where the code of the first sector ends. */
const codeEnd = 440;

/**
 * A first sector with GRUB's boot code in front of the partition table that it has. `core` is the byte
 * of the disk where GRUB's core image begins. Source: boot.S of GRUB 2.06.
 */
export function putBootCode(sector: Buffer, bootImage: Uint8Array, core: number): Buffer {
  const bytes = Buffer.from(sector);
  const code = Buffer.from(bootImage);
  code.copy(bytes, 0, 0, 3); // what lies between belongs to a file system's parameters
  code.copy(bytes, 0x5a, 0x5a, codeEnd);
  bytes.writeBigUInt64LE(BigInt(core / 512), 0x5c);
  bytes.writeUInt8(0xff, 0x64); // the boot drive: as the firmware says
  bytes.fill(0x90, 0x66, 0x68);
  bytes.writeUInt16LE(0xaa55, 510);
  return bytes;
}

/**
 * GRUB's core image as it must lie at byte `start` of a disk: it loads the rest of itself from there.
 * Source: diskboot.S of GRUB 2.06.
 */
export function placeCore(image: Uint8Array, start: number): Buffer {
  const bytes = Buffer.from(image);
  bytes.writeBigUInt64LE(BigInt(start / 512 + 1), 500);
  return bytes;
}
