import type { Host } from './host.ts';
import type { BlockDeviceNode } from './storage/block-devices.ts';
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
  /** The mounted EFI system partition; `undefined`: there is none. */
  readonly esp: EspFacts | undefined;
}

export interface EspFacts {
  readonly mountPoint: string;
  /** As `/dev/vda15`. */
  readonly source: string;
  /** Its number in the table of the disk of the root; `undefined`: it is on another one. */
  readonly number: number | undefined;
  readonly readOnly: boolean;
  /** Bytes that can be written. */
  readonly free: number;
  /** Those in its folder EFI. */
  readonly folders: readonly EfiFolder[];
}

/** A folder of the EFI system partition out of which firmware starts programs. */
export interface EfiFolder {
  /** As Linux shows it. */
  readonly name: string;
  /** Those of its programs that start GRUB: itself, and shim, which starts it. */
  readonly programs: readonly string[];
}

export async function readBootLoader(
  host: Host,
  mounts: readonly Mount[],
  disk: BlockDeviceNode | undefined,
): Promise<BootLoaderFacts> {
  const commandLine = (await host.readText('/proc/cmdline')) ?? '';
  // `BOOT_IMAGE=/boot/vmlinuz-…`, or with a device before it: `(hd0,msdos1)/boot/…`
  const bootImage = /(?:^|\s)BOOT_IMAGE=(?:\([^)]*\))?(\S+)/.exec(commandLine)?.[1];
  const esp = findEspMount(mounts);
  const configuration = '/boot/grub/grub.cfg';
  return {
    configuration: (await host.exists(configuration)) ? configuration : undefined,
    environmentBlock: await host.exists('/boot/grub/grubenv'),
    bootImage,
    bootMount: mounts.find(({ mountPoint }) => /^\/boot(\/grub)?$/.test(mountPoint)),
    bootImageExists: bootImage !== undefined && (await host.exists(bootImage)),
    esp: esp === undefined ? undefined : await readEsp(host, esp, disk),
  };
}

/** The EFI system partition, where Debian mounts it. */
export function findEspMount(mounts: readonly Mount[]): Mount | undefined {
  return mounts.find(
    ({ mountPoint, fsType }) => fsType === 'vfat' && /^\/(boot\/)?efi$/.test(mountPoint),
  );
}

async function readEsp(
  host: Host,
  { mountPoint, source, readOnly }: Mount,
  disk: BlockDeviceNode | undefined,
): Promise<EspFacts> {
  const isHere = disk?.children.some(({ path }) => path === source) === true;
  const number = await host.readText(`/sys/class/block/${source.replace('/dev/', '')}/partition`);
  const statistics = (await host.report('df', ['--output=avail', '-B1', mountPoint])) ?? '';
  return {
    ...{ mountPoint, source, readOnly },
    number: isHere && number !== undefined ? Number(number) : undefined,
    free: Number(/\d+/.exec(statistics)?.[0] ?? 0),
    folders: await efiFolders(host, mountPoint),
  };
}

async function efiFolders(host: Host, mountPoint: string): Promise<EfiFolder[]> {
  const folders: EfiFolder[] = [];
  for (const name of await host.list(`${mountPoint}/EFI`)) {
    const names = await host.list(`${mountPoint}/EFI/${name}`);
    folders.push({
      name,
      programs: names.filter((one) => /^(shim|grub|boot)x64\.efi$/i.test(one)),
    });
  }
  return folders;
}
