import { type Partition, readPartitions } from '../../../disk/gpt.ts';
import { PineError } from '../../../error.ts';
import type { DiskPlan } from '../disk-plan.ts';
import type { Host } from '../host.ts';
import { isExtended } from '../storage/partition-table.ts';
import type { HostFacts } from '../survey.ts';
import { type EspFolder, espFolders } from './esp-folders.ts';
import { customCfg, customCfgMark } from './installer-entry.ts';

/** What a machine that is taken over is known to have, once nothing stands in the way. */
export interface Road {
  readonly diskPath: string;
  readonly rootPath: string;
  readonly rootNumber: number;
  readonly rootStart: number;
  /** Bytes. */
  readonly diskSize: number;
  readonly blockSize: number;
  readonly fileSystemSize: number;
  readonly fileSystemUuid: string;
  /** The partitions of a GPT; `undefined`: the disk has an MBR. */
  readonly oldTable: readonly Partition[] | undefined;
  /** The EFI system partition that the machine starts from; `undefined`: it starts with BIOS. */
  readonly esp: EspPlace | undefined;
}

/** An EFI system partition, and what of it is to start pine. */
export interface EspPlace {
  readonly number: number;
  /** The byte of the disk where it begins. */
  readonly start: number;
  readonly mountPoint: string;
  readonly folders: readonly EspFolder[];
}

/**
 * Finds what a take-over needs to know. There are two roads so far: BIOS, a root and swap on an MBR, or with
 * what boots on a GPT; UEFI and a GPT. On both a GRUB that sources custom.cfg. Throws INPUT_TAKE_OVER for what is
 * off them, INPUT_FIRMWARE, and PROGRAM_MISSING.
 */
export async function findRoad(host: Host, facts: HostFacts, plan: DiskPlan): Promise<Road> {
  const { machine, storage } = facts;
  const { disk, table, ext4, rootNumber } = storage;
  const [, partition] = storage.ways[0] ?? [];
  if (table === undefined || table instanceof PineError) {
    throw new RangeError('the storage was judged before');
  }
  const isMbr = table.kind === 'mbr';
  const root = table.partitions.find(({ number }) => number === rootNumber);
  if (disk === undefined || partition === undefined || root === undefined || ext4 === undefined) {
    throw new RangeError('the storage was judged before');
  }
  const others = table.partitions.filter(
    (one) => one !== root && !plan.removed.includes(one) && !isExtended(one),
  );
  if (isMbr && (others.length > 0 || root.number > 4)) {
    const found = root.number > 4 ? 'a logical partition' : `partition ${others[0]?.number}`;
    throw offRoad(
      'the root on a primary partition, and nothing else but swap behind it',
      found,
      disk.path,
    );
  }
  if (isMbr && machine.firmware === 'uefi') throw offRoad('a GPT', 'UEFI and an MBR', disk.path);
  if (isMbr) await checkNames(host);
  await checkGrub(host, machine.firmware);
  const header = (await host.report('dumpe2fs', ['-h', partition.path])) ?? '';
  const uuid = /^Filesystem UUID:\s+([0-9a-f-]{36})$/m.exec(header)?.[1];
  if (uuid === undefined) throw offRoad('a file system with a UUID', 'none', partition.path);
  const read = (position: number, length: number) => host.readBytes(disk.path, position, length);
  const oldTable = isMbr ? undefined : await readPartitions({ size: disk.size, read }, disk.path);
  return {
    ...{ oldTable, esp: oldTable === undefined ? undefined : findEsp(facts, oldTable) },
    ...{ diskPath: disk.path, rootPath: partition.path, rootNumber: root.number },
    ...{ rootStart: root.start, diskSize: disk.size, blockSize: ext4.blockSize },
    ...{ fileSystemSize: ext4.size, fileSystemUuid: uuid },
  };
}

/** A PARTUUID is made of the MBR's number, which a GPT has not: the old system would not find its root again. */
async function checkNames(host: Host): Promise<void> {
  for (const path of ['/boot/grub/grub.cfg', '/etc/fstab']) {
    const text = (await host.readText(path)) ?? '';
    if (!/^[^#\n]*PARTUUID=/m.test(text)) continue;
    throw offRoad('file systems named by UUID or LABEL', 'PARTUUID=', path);
  }
}

/** Where the machine's firmware finds GRUB; what it says of that must be this partition. */
function findEsp({ machine, bootLoader }: HostFacts, table: readonly Partition[]) {
  const { esp } = bootLoader;
  if (machine.firmware !== 'uefi') return undefined;
  const partition = table.find(({ number }) => number === esp?.number);
  if (esp === undefined || partition === undefined) {
    throw new RangeError('the EFI system partition was judged before');
  }
  const started = machine.startedFile?.partition;
  if (started !== undefined && started !== partition.uuid) {
    throw new PineError('INPUT_FIRMWARE', "the machine's firmware can't start pine", {
      expected: `that it starts GRUB from ${esp.source}, partition ${partition.uuid}`,
      found: `partition ${started}`,
      where: 'the boot entry that the firmware took (efibootmgr -v)',
      remedy: 'let it start GRUB from the disk that the system is on: grub-install, and reboot',
    });
  }
  const { number, start } = partition;
  return { number, start, mountPoint: esp.mountPoint, folders: espFolders(esp.folders) };
}

async function checkGrub(host: Host, firmware: 'bios' | 'uefi'): Promise<void> {
  const text = (await host.readText('/boot/grub/grub.cfg')) ?? '';
  if (!/^[^#\n]*\bsource\s+\S*\/custom\.cfg/m.test(text)) {
    throw offRoad(
      'a line that sources custom.cfg (/etc/grub.d/41_custom)',
      'none',
      '/boot/grub/grub.cfg',
      'run `chmod +x /etc/grub.d/41_custom`, which the package grub-common has, and update-grub',
    );
  }
  const custom = await host.readText(customCfg);
  if (custom !== undefined && !custom.startsWith(customCfgMark)) {
    throw offRoad(
      'no custom.cfg',
      'one of your own',
      customCfg,
      'move it away for the take-over, which sources its own in its place',
    );
  }
  const paths = {
    bios: ['/usr/lib/grub/i386-pc/boot.img', '/boot/grub/i386-pc/hashsum.mod'],
    uefi: ['/usr/lib/grub/x86_64-efi/normal.mod', '/boot/grub/x86_64-efi/hashsum.mod'],
  };
  for (const path of paths[firmware]) {
    if (await host.exists(path)) continue;
    const name = firmware === 'bios' ? 'BIOS' : 'UEFI';
    throw new PineError('PROGRAM_MISSING', `GRUB for ${name} is missing`, {
      expected: path,
      found: 'no such file',
      where: 'this machine',
      remedy: `install the package ${firmware === 'bios' ? 'grub-pc' : 'grub-efi-amd64'}, and run grub-install`,
    });
  }
}

function offRoad(
  expected: string,
  found: string,
  where: string,
  remedy = 'install an image by a rescue system: pinectl image',
): PineError {
  return new PineError('INPUT_TAKE_OVER', 'this machine can not be taken over yet', {
    expected,
    found,
    where,
    remedy,
  });
}
