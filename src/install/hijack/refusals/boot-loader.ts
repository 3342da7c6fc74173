import { PineError } from '../../../error.ts';
import type { HostFacts } from '../survey.ts';
import { refuse } from './refuse.ts';

/** A machine that no GRUB of its own started, which alone could start the installer once. */
export function refuseBootLoader({ machine, storage, bootLoader }: HostFacts): PineError[] {
  if (machine.container !== undefined) return [];
  const { configuration, environmentBlock, bootImage, bootImageExists, bootMount } = bootLoader;
  if (bootMount !== undefined) {
    return [
      refuse('INPUT_BOOT_PARTITION', '/boot is a file system of its own', [
        '/boot in the root file system, which the installer is kept in',
        `${bootMount.fsType} on ${bootMount.source}`,
        bootMount.mountPoint,
        'copy it into the root file system, take it out of /etc/fstab, and run grub-install and update-grub; or install an image by a rescue system',
      ]),
    ];
  }
  if (bootImage === undefined || !bootImageExists) {
    return [
      refuse('INPUT_PROVIDER_KERNEL', 'the kernel that runs was not started by this GRUB', [
        'BOOT_IMAGE= in /proc/cmdline, naming a kernel that is here',
        bootImage === undefined ? 'none: the provider boots a kernel of its own' : bootImage,
        '/proc/cmdline',
        "switch to the disk's own boot loader in the provider's panel (“GRUB”, “direct disk”), and reboot",
      ]),
    ];
  }
  const table = storage.table instanceof PineError ? undefined : storage.table;
  const installed =
    machine.firmware === 'bios'
      ? table?.grubInFirstSector === true
      : bootLoader.esp?.folders.some(({ programs }) => programs.length > 0) === true;
  if (configuration !== undefined && environmentBlock && installed) return [];
  const missing = [
    ...(configuration === undefined ? ['no /boot/grub/grub.cfg'] : []),
    ...(environmentBlock ? [] : ['no /boot/grub/grubenv']),
    ...(installed ? [] : [`no GRUB for ${machine.firmware.toUpperCase()}`]),
  ];
  return [
    refuse('NOT_FOUND_GRUB', 'GRUB is not there: nothing could start the installer once', [
      'GRUB 2 with its configuration, on the disk of the root file system',
      missing.join(', '),
      storage.disk?.path ?? 'the disk',
      'install grub-pc (BIOS) or grub-efi-amd64 (UEFI), and reboot',
    ]),
  ];
}
