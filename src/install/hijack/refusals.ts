import { type ErrorCode, PineError } from '../../error.ts';
import { refuseFirmware } from './refuse-firmware.ts';
import { formatWay } from './storage/block-devices.ts';
import type { HostFacts } from './survey.ts';

/** ext4 features that resize2fs can't shrink, or that an installer must not touch. */
const refusedFeatures = ['bigalloc', 'encrypt', 'meta_bg', 'shared_ba', 'journal_dev'];
/** Where the first partition of an MBR disk must begin: GRUB and a GPT lie before it. */
const leastStart = 1 << 20;

/** What of a system can't be taken over, each as the error that it is. Nothing was changed. */
export function findRefusals(facts: HostFacts, wantedDisk?: string): PineError[] {
  return [
    ...refuseMachine(facts),
    ...refuseStorage(facts, wantedDisk),
    ...refuseBootLoader(facts),
    ...refuseFirmware(facts),
    ...refuseNetwork(facts),
    ...refuseLogin(facts),
  ];
}

function refuse(
  code: ErrorCode,
  summary: string,
  [expected, found, where, remedy]: readonly [string, string, string, string],
): PineError {
  return new PineError(code, summary, { expected, found, where, remedy });
}

function refuseMachine({ userId, machine }: HostFacts): PineError[] {
  const { processor, container, secureBoot, isPine } = machine;
  const where = 'this machine';
  return [
    ...(userId === 0
      ? []
      : [
          refuse('STATE_NOT_ROOT', 'only root may look at all of a machine', [
            'user 0',
            `user ${userId}`,
            where,
            'run it with sudo',
          ]),
        ]),
    ...(container === undefined
      ? []
      : [
          refuse(
            'STATE_CONTAINER',
            'this is a container: it has no disk and no kernel of its own',
            [
              'a machine, virtual or not',
              container,
              where,
              'take over the host, or order a virtual machine',
            ],
          ),
        ]),
    ...(isPine
      ? [
          refuse('STATE_IS_PINE', 'pine runs here already', [
            'another system',
            '/run/pine/boot is there',
            where,
            'nothing is to be done; `pinectl status` says what runs',
          ]),
        ]
      : []),
    ...(secureBoot
      ? [
          refuse('STATE_SECURE_BOOT', 'Secure Boot is on, and pine has no signed boot loader', [
            'Secure Boot off',
            'on',
            'the firmware',
            'switch it off in the firmware, or in the panel of the provider',
          ]),
        ]
      : []),
    ...(processor === 'x64'
      ? []
      : [
          refuse('INPUT_PROCESSOR', 'pine takes over machines with x86-64 only', [
            'x64',
            processor,
            where,
            'install an image instead: `pinectl image`',
          ]),
        ]),
  ];
}

function refuseStorage({ machine, storage }: HostFacts, wantedDisk?: string): PineError[] {
  if (machine.container !== undefined) return []; // what it sees is its host's
  const { root, ways, disk, table, rootNumber, ext4 } = storage;
  const source = root?.source ?? 'the root file system';
  const [way] = ways;
  const isPlain = ways.length === 1 && way?.map(({ type }) => type).join() === 'disk,part';
  if (root?.fsType !== 'ext4' || !isPlain || disk === undefined) {
    const found =
      way === undefined ? 'no disk that lsblk knows' : ways.map(formatWay).join(' and ');
    return [
      refuse('INPUT_ROOT_STORAGE', 'the root file system is not a plain ext4 on a partition', [
        'ext4 on one partition of one disk, without LVM, RAID or encryption',
        `${root?.fsType ?? 'nothing'} on ${found}`,
        source,
        'order the machine with a plain Debian image, or install an image by a rescue system',
      ]),
    ];
  }
  const refusals: PineError[] = [];
  if (root.readOnly) {
    refusals.push(
      refuse('STATE_READ_ONLY_ROOT', 'the root file system is mounted read-only', [
        'one that can be written',
        'mounted ro',
        source,
        'if it was remounted after an error, see dmesg and repair it first',
      ]),
    );
  }
  if (wantedDisk !== undefined && wantedDisk !== disk.path) {
    refusals.push(
      refuse('INPUT_OTHER_DISK', 'this is not the disk that the system runs from', [
        disk.path,
        wantedDisk,
        'the command line',
        'leave --disk out: only the disk that the root file system is on can be taken over',
      ]),
    );
  }
  if (disk.sectorSize !== 512) {
    refusals.push(
      refuse('INPUT_SECTOR_SIZE', 'the disk has sectors of another size than pine writes', [
        'logical sectors of 512 bytes',
        `${disk.sectorSize} bytes`,
        disk.path,
        'install an image on another disk',
      ]),
    );
  }
  if (table instanceof PineError) return [...refusals, table];
  const place = table?.partitions.find(({ number }) => number === rootNumber);
  if (table?.kind === 'mbr' && (place?.start ?? 0) < leastStart) {
    refusals.push(
      refuse('INPUT_PARTITION_START', 'there is no room before the first partition', [
        `a partition that starts at byte ${leastStart} or later`,
        `byte ${place?.start ?? 0}`,
        disk.path,
        'install an image by a rescue system',
      ]),
    );
  }
  const odd = ext4?.features.filter((feature) => refusedFeatures.includes(feature)) ?? [];
  if (ext4 === undefined || odd.length > 0 || !/^clean$/.test(ext4.state)) {
    refusals.push(
      refuse('INPUT_ROOT_FILE_SYSTEM', "the root file system can't be shrunk as it is", [
        `an ext4 that dumpe2fs calls clean, without ${refusedFeatures.join(', ')}`,
        ext4 === undefined ? 'none that dumpe2fs reads' : [ext4.state, ...odd].join(', '),
        source,
        'install e2fsprogs; let a boot check it (`touch /forcefsck`, or fsck.mode=force)',
      ]),
    );
  }
  return refusals;
}

function refuseBootLoader({ machine, storage, bootLoader }: HostFacts): PineError[] {
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

function refuseNetwork({ network: { network, source } }: HostFacts): PineError[] {
  const usable = network.interfaces.filter(({ kind }) => kind === 'ethernet');
  const reached = (list: typeof network.interfaces) =>
    list.some(({ dhcp4, dhcp6, routerAdvertisements, routes }) =>
      [dhcp4, dhcp6, routerAdvertisements === true, routes.some(({ to }) => to === 'default')].some(
        Boolean,
      ),
    );
  if (reached(usable)) return [];
  const other = network.interfaces.filter(({ kind }) => kind !== 'ethernet');
  return [
    refuse('INPUT_NETWORK', 'how this machine is reached could not be carried over', [
      'a default route or DHCP on an Ethernet card',
      other.length === 0
        ? 'neither'
        : other.map(({ name, kind }) => `${name}, of the kind ${kind}`).join('; '),
      source,
      'configure the uplink on a card itself, without bond, bridge or VLAN',
    ]),
  ];
}

function refuseLogin({ machine, login }: HostFacts): PineError[] {
  if (machine.container !== undefined) return [];
  const { users, invokingUser } = login;
  if (users.some(({ keyFiles }) => keyFiles.length > 0)) return [];
  return [
    refuse('INPUT_NO_LOGIN', 'nobody could log in afterwards', [
      'a key in an authorized_keys file of root or of a user',
      'none (a password of Debian 11 or newer is one that Alpine does not know)',
      `~/.ssh/authorized_keys of ${[...new Set(['root', invokingUser])].join(' and ')}`,
      'put your public key there (`ssh-copy-id`), and log in with it once',
    ]),
  ];
}
