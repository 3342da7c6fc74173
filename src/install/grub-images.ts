import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { earlyCfg, type GrubPlatform, grubModules } from '../boot/grub/grub-cfg.ts';
import { PineError } from '../error.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import { runProgram } from './program.ts';

/** Where Debian and Alpine keep GRUB's modules. */
const grubFolder = '/usr/lib/grub';

/** Numbers of the partitions that GRUB's own image must know. */
export interface GrubPartitions {
  readonly boot: number;
  readonly slotA: number;
  readonly slotB: number;
}

/** Builds GRUB's image for one platform into `folder` and returns its path. */
export async function buildGrub(
  platform: GrubPlatform,
  partitions: GrubPartitions,
  folder: string,
): Promise<string> {
  const early = join(folder, `early-${platform}.cfg`);
  const image = join(folder, `core-${platform}.img`);
  await writeFile(early, earlyCfg(platform, partitions.slotA, partitions.slotB));
  await readModule(platform, 'normal.mod');
  await runProgram('grub-mkimage', [
    ...['-O', platform, '-d', join(grubFolder, platform), '-o', image, '-c', early],
    // Without a disk's name, the prefix means the disk that GRUB was started from.
    ...['-p', `(,gpt${partitions.boot})/grub`, ...grubModules],
    ...(platform === 'i386-pc' ? ['biosdisk'] : ['efi_gop']),
  ]);
  return image;
}

async function readModule(platform: string, name: string): Promise<Buffer> {
  const path = join(grubFolder, platform, name);
  try {
    return await readFile(path);
  } catch (cause) {
    const bios = platform === 'i386-pc';
    throw new PineError('PROGRAM_MISSING', `GRUB for ${bios ? 'BIOS' : 'UEFI'} is missing`, {
      expected: path,
      found: cause instanceof Error ? cause.message : String(cause),
      where: 'this machine',
      remedy: bios
        ? 'install the package grub-pc-bin (Debian), grub-bios (Alpine)'
        : 'install the package grub-efi-amd64-bin (Debian), grub-efi (Alpine)',
      cause,
    });
  }
}

/**
 * Puts GRUB for BIOS on a disk: the core image at `start` (bytes) in the bios-grub partition, and the first
 * sector's code in front of the partition table. Both hold sector numbers of the core image.
 * Source: boot.S and diskboot.S of GRUB 2.06.
 */
export async function embedBiosGrub(
  disk: BlockDevice,
  imagePath: string,
  place: { readonly start: number; readonly size: number },
): Promise<void> {
  const core = await readFile(imagePath);
  if (core.length > place.size) {
    throw new PineError('SPACE_BIOS_GRUB', 'GRUB does not fit the bios-grub partition', {
      expected: `at most ${place.size} bytes`,
      found: `${core.length} bytes`,
      where: 'the layout',
      remedy: 'make bios-grub larger in the layout',
    });
  }
  const sector = BigInt(place.start / 512);
  core.writeBigUInt64LE(sector + 1n, 500);
  await disk.write(place.start, core);

  const first = await disk.read(0, 512);
  const code = await readModule('i386-pc', 'boot.img');
  code.copy(first, 0, 0, 3);
  code.copy(first, 0x5a, 0x5a, 440);
  first.writeBigUInt64LE(sector, 0x5c);
  first.writeUInt8(0xff, 0x64); // the boot drive: as the firmware says
  first.fill(0x90, 0x66, 0x68);
  await disk.write(0, first);
}
