import type { Layout } from '../../disk/layout.ts';
import { PineError } from '../../error.ts';
import { writableImageSize } from '../../image/slot.ts';
import type { CommitFacts } from './commit-facts.ts';
import { type DiskOutcome, type DiskPlan, isSwap, planDisk } from './disk-plan.ts';
import type { MissingDriver } from './drivers.ts';
import { refuseKexec } from './kexec.ts';
import { findRefusals } from './refusals.ts';
import type { BlockDeviceNode } from './storage/block-devices.ts';
import type { TablePartition } from './storage/partition-table.ts';
import type { HostFacts } from './survey.ts';

const mebibyte = 1 << 20;
/** Kernel, initramfs, boot partition and the /etc that is carried over, beside the image. */
const otherPayload = 64 * mebibyte;
/** What kernel and initramfs take of an installer's memory; firmware of UEFI keeps more for itself. */
const baseMemory = { bios: 96 * mebibyte, uefi: 192 * mebibyte };
/** Debian needs some of its room while it fetches the payload. */
const breathingSpace = 64 * mebibyte;

/** What a look at a machine came to. Sizes are bytes. */
export interface Preflight {
  readonly refusals: readonly PineError[];
  readonly warnings: readonly string[];
  /** What the old system has and the new one will not. */
  readonly lost: readonly string[];
  readonly disk: DiskPlan | undefined;
  readonly layout: string;
  /** What starts the installer. */
  readonly entry: 'grub' | 'kexec';
  readonly memory: { readonly needed: number; readonly found: number };
  /** What is stored on the old system's disk meanwhile. */
  readonly payload: number;
}

/** Judges whether a system can be taken over, and plans how. Pure: the facts say it all. */
export function judge(
  facts: HostFacts,
  options: {
    readonly commit: CommitFacts | undefined;
    /** Those to choose from, the roomiest first. */
    readonly layouts: readonly Layout[];
    readonly wantedDisk?: string | undefined;
    /** The installer is entered by kexec. */
    readonly kexec?: boolean;
    /** The image lies in the root file system already, and is a part of what that needs. */
    readonly fetched?: boolean;
  },
): Preflight {
  const { commit, fetched = false, kexec = false } = options;
  const refusals = findRefusals(facts, options.wantedDisk);
  if (kexec && facts.machine.container === undefined) refusals.push(...refuseKexec(facts.kexec));
  const memory = memoryNeed(facts);
  const chosen = chooseLayout(facts, options.layouts, commit?.imageSize, fetched);
  if (memory.found < memory.needed) refusals.push(tooLittleMemory(memory));
  if (chosen.refusal !== undefined) refusals.push(chosen.refusal);
  const { ext4, free, root } = facts.storage;
  const spare = chosen.payload + breathingSpace;
  if (ext4 !== undefined && chosen.disk !== undefined && free < spare) {
    refusals.push(
      new PineError('SPACE_OLD_ROOT', 'the root file system has no room for what is fetched', {
        expected: `${spare} bytes free`,
        found: `${free} bytes: ${spare - free} too few`,
        where: root?.source ?? '/',
        remedy: 'remove what is not needed (apt-get clean, old kernels, logs)',
      }),
    );
  }
  for (const missing of commit?.missingDrivers ?? []) refusals.push(noDriver(missing));
  return {
    refusals,
    warnings: findWarnings(facts, commit),
    lost: findLosses(facts),
    disk: chosen.disk,
    layout: chosen.layout.name,
    entry: kexec ? 'kexec' : 'grub',
    memory,
    payload: chosen.payload,
  };
}

interface Chosen {
  readonly layout: Layout;
  readonly payload: number;
  readonly disk: DiskPlan | undefined;
  readonly refusal: PineError | undefined;
}

/** The first layout that the image and the disk have room for; else the last, and why not. */
function chooseLayout(
  facts: HostFacts,
  layouts: readonly Layout[],
  imageSize: number | undefined,
  fetched: boolean,
): Chosen {
  let last: Chosen | undefined;
  for (const layout of layouts) {
    const room = writableImageSize(layout.slotSize);
    // Without a commit: an image of the size from which on pine warns.
    const image = imageSize ?? Math.floor(room * 0.75);
    const payload = (fetched ? 0 : image) + otherPayload;
    if (image > room) {
      last ??= { layout, payload, disk: undefined, refusal: slotTooSmall(layout, image, room) };
      continue;
    }
    const outcome = planFor(facts, layout, payload);
    if (outcome === undefined) return { layout, payload, disk: undefined, refusal: undefined };
    if (outcome.kind === 'fits') {
      return { layout, payload, disk: outcome.plan, refusal: undefined };
    }
    const refusal =
      outcome.kind === 'foreign'
        ? foreignPartitions(facts, outcome.partitions)
        : diskTooSmall(facts, layout, outcome);
    last = { layout, payload, disk: undefined, refusal };
  }
  if (last === undefined) throw new RangeError('no layout to choose from');
  return last;
}

/** `undefined` where the disk can't be planned for a reason that is refused already. */
function planFor(facts: HostFacts, layout: Layout, payload: number): DiskOutcome | undefined {
  const { disk, table, rootNumber, ext4 } = facts.storage;
  if (disk === undefined || ext4 === undefined || rootNumber === undefined) return undefined;
  if (table === undefined || table instanceof PineError) return undefined;
  if (!table.partitions.some(({ number }) => number === rootNumber)) return undefined;
  const swap = table.partitions.filter(isSwap).map(({ number }) => number);
  const misnamed = new Set(swap.filter((number) => !holdsSwap(nodeOf(disk, number))));
  const isAdopted = facts.machine.firmware === 'uefi' && table.kind === 'gpt';
  const esp = isAdopted ? facts.bootLoader.esp?.number : undefined;
  const place = { diskSize: disk.size, table, root: rootNumber, esp };
  const request = { ...place, payload, layout, misnamed };
  return planDisk({ ...request, least: ext4.least });
}

/** What lsblk knows of a partition of the disk. */
function nodeOf(disk: BlockDeviceNode | undefined, number: number): BlockDeviceNode | undefined {
  return disk?.children.find(({ path }) => new RegExp(`\\D${number}$`).test(path));
}

/** Whether nothing but swap is on a partition, mounted or not. */
function holdsSwap(node: BlockDeviceNode | undefined): boolean {
  const { fsType = 'swap', mountPoint = '[SWAP]', children = [] } = node ?? {};
  return fsType === 'swap' && mountPoint === '[SWAP]' && children.length === 0;
}

/** e2fsck and resize2fs hold some bits for every block and inode. */
function memoryNeed({ machine, storage }: HostFacts): Preflight['memory'] {
  const { blockSize = 4096, size = 0, inodes = 0 } = storage.ext4 ?? {};
  const maps = Math.ceil((size / blockSize + inodes) / 2);
  return { needed: baseMemory[machine.firmware] + maps, found: machine.memory };
}

function findWarnings(facts: HostFacts, commit: CommitFacts | undefined): string[] {
  const { network, login, storage } = facts;
  const leased = network.network.interfaces.filter(({ dhcp6 }) => dhcp6);
  const entered = login.users.filter(({ keyFiles }) => keyFiles.length > 0);
  return [
    ...(commit === undefined
      ? ['no commit was named: whether its kernel has the drivers, and its size, are not checked']
      : []),
    ...network.notes.map((text) => `network: ${text}`),
    ...network.network.leftOut.map((text) => `network, not carried over: ${text}`),
    ...leased.map(({ name }) => `network: ${name} has DHCPv6, which Alpine's ifupdown has not`),
    ...network.network.interfaces
      .filter(({ kind }) => kind !== 'ethernet')
      .map(({ name, kind }) => `network, not carried over: ${name}, of the kind ${kind}`),
    ...(login.sshd ? [] : ["sshd's configuration could not be read: port 22 is assumed"]),
    ...(login.hostKeys.length > 0 || !login.sshd
      ? []
      : ['sshd has no host keys: new ones will be made']),
    ...(entered.some(({ name }) => name === login.invokingUser)
      ? []
      : [`${login.invokingUser}, who runs this, has no key to log in with`]),
    ...storage.mounts
      .filter(({ source, mountPoint }) => /^\/dev\//.test(source) && isOther(mountPoint))
      .filter(({ source }) => source !== storage.root?.source)
      .map(({ source, mountPoint }) => `${source} on ${mountPoint} will not be mounted afterwards`),
  ];
}

function isOther(mountPoint: string): boolean {
  return mountPoint !== '/' && !/^\/(boot\/)?efi$/.test(mountPoint);
}

function findLosses({ machine, login, services }: HostFacts): string[] {
  const users = login.users.filter(({ password }) => password === 'lost').map(({ name }) => name);
  const shells = login.users.filter(({ shell }) => !/\/(ba|a)?sh$/.test(shell));
  return [
    `${machine.distribution}: its packages, their settings in /etc and their data in /var (the files stay in the shrunk partition until that is wiped)`,
    ...(services.length > 0 ? [`what starts at boot: ${services.join(', ')}`] : []),
    ...(users.length > 0
      ? [`passwords of ${users.join(', ')}: Alpine does not know Debian's yescrypt`]
      : []),
    ...shells.map(({ name, shell }) => `the shell of ${name}, ${shell}, unless the commit has it`),
  ];
}

function tooLittleMemory({ needed, found }: Preflight['memory']): PineError {
  return new PineError('SPACE_MEMORY', 'the machine has too little memory for the installer', {
    expected: `${needed} bytes`,
    found: `${found} bytes: ${needed - found} too few`,
    where: '/proc/meminfo',
    remedy: 'order more memory, for the day of the take-over at least',
  });
}

function slotTooSmall(layout: Layout, image: number, room: number): PineError {
  return new PineError('SPACE_SLOT', 'the image does not fit into a slot', {
    expected: `at most ${room} bytes`,
    found: `${image} bytes: ${image - room} too many`,
    where: layout.name,
    remedy: 'give a layout with larger slots: --layout FILE',
  });
}

function foreignPartitions(facts: HostFacts, partitions: readonly TablePartition[]): PineError {
  const { disk } = facts.storage;
  const describe = ({ number }: TablePartition) => {
    const node = nodeOf(disk, number);
    const use = [node?.fsType ?? 'nothing known', node?.mountPoint && `on ${node.mountPoint}`];
    return `${node?.path ?? `partition ${number}`} (${use.filter(Boolean).join(' ')})`;
  };
  return new PineError(
    'INPUT_FOREIGN_PARTITION',
    'the disk has partitions that would be in the way',
    {
      expected: 'beside the root file system only swap, EFI system and BIOS boot partitions',
      found: partitions.map(describe).join(', '),
      where: disk?.path ?? 'the disk',
      remedy: 'copy what is on them elsewhere, and delete them',
    },
  );
}

function diskTooSmall(
  facts: HostFacts,
  layout: Layout,
  { needed, room }: { readonly needed: number; readonly room: number },
): PineError {
  const { disk, ext4 } = facts.storage;
  return new PineError('SPACE_HIJACK', 'the disk has no room for both systems', {
    expected: `${needed} bytes from the start of the root partition: ${ext4?.least} of Debian's own, what is fetched, and ${layout.name}`,
    found: `${room} bytes: ${Math.max(needed - room, 1)} too few`,
    where: disk?.path ?? 'the disk',
    remedy: 'remove what is not needed, take a layout with smaller slots, or order a larger disk',
  });
}

function noDriver({ device, notInInitramfs }: MissingDriver): PineError {
  const { of, modalias, driver } = device;
  return new PineError('INPUT_NO_DRIVER', `the commit can't drive ${of}`, {
    expected: `a driver for ${modalias} (${driver} here)`,
    found:
      notInInitramfs.length === 0
        ? 'none in modules.alias or built in'
        : `${notInInitramfs.join(', ')}, but not in the initramfs`,
    where: 'the commit',
    remedy:
      notInInitramfs.length === 0
        ? 'commit a tree with a kernel for such machines (linux-virt, linux-lts)'
        : `commit with --module ${notInInitramfs[0]}`,
  });
}
