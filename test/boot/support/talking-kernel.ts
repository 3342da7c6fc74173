/**
 * A Linux kernel image that GRUB loads and starts, and that does one thing: it writes its command line to
 * the first serial port and resets the machine. Source: the kernel's Documentation/arch/x86/boot.rst.
 */
export function talkingKernel(): Buffer {
  const setupSectors = 4;
  const code = Buffer.from(
    [
      '8bb628020000', // mov esi, [esi + 0x228]: the command line, by the boot parameters
      '66baf803', // mov dx, 0x3f8
      'ac84c0', // next: lodsb; test al, al
      '7414', // jz done
      '88c3', // mov bl, al
      '66bafd03', // mov dx, 0x3fd
      'eca82074fb', // wait until the port takes a byte
      '66baf803', // mov dx, 0x3f8
      '88d8ee', // mov al, bl; out dx, al
      'ebe7', // jmp next
      'b00aee', // done: a line feed
      '66bafd03', // mov dx, 0x3fd
      'eca84074fb', // wait until it is out
      'b0fee664', // reset by the keyboard controller
      'f4ebfd', // hlt, for ever
    ].join(''),
    'hex',
  );
  const image = Buffer.alloc((setupSectors + 1) * 512 + 4096);
  image.writeUInt8(setupSectors, 0x1f1);
  image.writeUInt32LE(4096 / 16, 0x1f4);
  image.writeUInt16LE(0xaa55, 0x1fe);
  image.set([0xeb, 0x66], 0x200); // the header ends at 0x268
  image.write('HdrS', 0x202);
  image.writeUInt16LE(0x0206, 0x206);
  image.writeUInt8(1, 0x211); // loaded at 1 MiB
  image.writeUInt32LE(0x100000, 0x214);
  image.writeUInt32LE(0x37ffffff, 0x22c);
  image.writeUInt32LE(0x200000, 0x230);
  image.writeUInt32LE(2047, 0x238);
  code.copy(image, (setupSectors + 1) * 512);
  return image;
}
