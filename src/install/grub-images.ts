import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  earlyCfg,
  type GrubPlatform,
  grubModules,
  type PreviousSystem,
  takeOverModules,
} from '../boot/grub/grub-cfg.ts';
import { PineError } from '../error.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import { placeCore, putBootCode } from './boot-code.ts';
import { runProgram } from './program.ts';

/** Where Debian and Alpine keep GRUB's modules. */
const grubFolder = '/usr/lib/grub';

/** Numbers of the partitions that GRUB's own image must know. */
export interface GrubPartitions {
  readonly boot: number;
  readonly slotA: number;
  readonly slotB: number;
  readonly previous?: PreviousSystem;
}

/** Builds GRUB's image for one platform into `folder` and returns its path. */
export async function buildGrub(
  platform: GrubPlatform,
  partitions: GrubPartitions,
  folder: string,
): Promise<string> {
  const early = join(folder, `early-${platform}.cfg`);
  const image = join(folder, `core-${platform}.img`);
  const { boot, slotA, slotB, previous } = partitions;
  await writeFile(early, earlyCfg(platform, slotA, slotB, previous));
  await readModule(platform, 'normal.mod');
  await runProgram('grub-mkimage', [
    ...['-O', platform, '-d', join(grubFolder, platform), '-o', image, '-c', early],
    // Without a disk's name, the prefix means the disk that GRUB was started from.
    ...['-p', `(,gpt${boot})/grub`, ...grubModules],
    ...(previous === undefined ? [] : takeOverModules),
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
  const code = await readBootImage();
  await disk.write(place.start, placeCore(core, place.start));
  await disk.write(0, putBootCode(await disk.read(0, 512), code, place.start));
}

/** GRUB's boot.img: the code of a first sector. Throws PROGRAM_MISSING. */
export function readBootImage(): Promise<Buffer> {
  return readModule('i386-pc', 'boot.img');
}
