import { type Partition, readPartitions } from '../../../disk/gpt.ts';
import { PineError } from '../../../error.ts';
import type { DiskPlan } from '../disk-plan.ts';
import type { Host } from '../host.ts';
import { isExtended } from '../storage/partition-table.ts';
import type { HostFacts } from '../survey.ts';
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
}

/**
 * Finds what a take-over needs to know. There is one road so far: BIOS, a root and swap on an MBR, or with
 * what boots on a GPT, and a GRUB that sources custom.cfg. Throws INPUT_TAKE_OVER for what is off it, and PROGRAM_MISSING.
 */
export async function findRoad(host: Host, facts: HostFacts, plan: DiskPlan): Promise<Road> {
  const { machine, storage } = facts;
  const { disk, table, ext4, rootNumber } = storage;
  const [, partition] = storage.ways[0] ?? [];
  if (machine.firmware !== 'bios')
    throw offRoad('a machine that boots with BIOS', 'UEFI', 'firmware');
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
  if (isMbr) await checkNames(host);
  await checkGrub(host);
  const header = (await host.report('dumpe2fs', ['-h', partition.path])) ?? '';
  const uuid = /^Filesystem UUID:\s+([0-9a-f-]{36})$/m.exec(header)?.[1];
  if (uuid === undefined) throw offRoad('a file system with a UUID', 'none', partition.path);
  const read = (position: number, length: number) => host.readBytes(disk.path, position, length);
  return {
    oldTable: isMbr ? undefined : await readPartitions({ size: disk.size, read }, disk.path),
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

async function checkGrub(host: Host): Promise<void> {
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
  for (const path of ['/usr/lib/grub/i386-pc/boot.img', '/boot/grub/i386-pc/hashsum.mod']) {
    if (await host.exists(path)) continue;
    throw new PineError('PROGRAM_MISSING', 'GRUB for BIOS is missing', {
      expected: path,
      found: 'no such file',
      where: 'this machine',
      remedy: 'install the package grub-pc, and run grub-install',
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
