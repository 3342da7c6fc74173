import type { Host } from './host.ts';
import type { Mount } from './storage/mounts.ts';

/** How the system that runs was started. */
export interface BootLoaderFacts {
  /** The configuration that GRUB reads; `undefined` when it is not there. */
  readonly configuration: string | undefined;
  readonly environmentBlock: boolean;
  /** The kernel as GRUB was told it; `undefined` when GRUB did not start this system. */
  readonly bootImage: string | undefined;
  /** What is mounted on /boot, or below it with GRUB's files: GRUB does not find them in the root file system. */
  readonly bootMount: Mount | undefined;
  /** Whether that kernel is a file of this system. */
  readonly bootImageExists: boolean;
  /** GRUB's own programs on the EFI system partition. */
  readonly efiPrograms: readonly string[];
  /** Where that is mounted. */
  readonly efiMountPoint: string | undefined;
}

export async function readBootLoader(
  host: Host,
  mounts: readonly Mount[],
): Promise<BootLoaderFacts> {
  const commandLine = (await host.readText('/proc/cmdline')) ?? '';
  // `BOOT_IMAGE=/boot/vmlinuz-…`, or with a device before it: `(hd0,msdos1)/boot/…`
  const bootImage = /(?:^|\s)BOOT_IMAGE=(?:\([^)]*\))?(\S+)/.exec(commandLine)?.[1];
  const efi = mounts.find(
    ({ mountPoint, fsType }) => fsType === 'vfat' && /^\/(boot\/)?efi$/.test(mountPoint),
  );
  const configuration = '/boot/grub/grub.cfg';
  return {
    configuration: (await host.exists(configuration)) ? configuration : undefined,
    environmentBlock: await host.exists('/boot/grub/grubenv'),
    bootImage,
    bootMount: mounts.find(({ mountPoint }) => /^\/boot(\/grub)?$/.test(mountPoint)),
    bootImageExists: bootImage !== undefined && (await host.exists(bootImage)),
    efiPrograms: efi === undefined ? [] : await grubPrograms(host, efi.mountPoint),
    efiMountPoint: efi?.mountPoint,
  };
}

async function grubPrograms(host: Host, folder: string): Promise<string[]> {
  const programs: string[] = [];
  for (const vendor of await host.list(`${folder}/EFI`)) {
    for (const name of await host.list(`${folder}/EFI/${vendor}`)) {
      if (/^(grubx64|bootx64)\.efi$/i.test(name)) programs.push(`EFI/${vendor}/${name}`);
    }
  }
  return programs;
}
