import { execFile } from 'node:child_process';
import { constants, setPriority } from 'node:os';
import { promisify } from 'node:util';
import { GrubBootLoader } from '../boot/grub/grub.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { systemClock } from '../ports/clock.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { readDeployments } from './deployments.ts';
import { nodeNetwork } from './health/node-network.ts';
import { waitForLock } from './lock.ts';
import type { Machine } from './machine.ts';
import { runProgram } from './run-program.ts';
import { bootReportFile, bootReportLimit, parseBootReport } from './running.ts';

/** The machine that this process runs on. Throws STATE_NOT_PINE on one that pine's initramfs did not start. */
export async function bootedMachine(files: FileSystem = nodeFileSystem): Promise<Machine> {
  const bytes = await files.readFile(bootReportFile, bootReportLimit);
  if (bytes === undefined) {
    throw new PineError('STATE_NOT_PINE', 'this machine was not booted by pine', {
      expected: 'a file that the initramfs left',
      found: 'no such file',
      where: bootReportFile,
      remedy:
        'run it on a machine that pine installed, or name a disk image with --disk and --state',
    });
  }
  const { running, disk } = parseBootReport(bytes.toString('utf8'), bootReportFile);
  const partitions = await findPartitions(files, disk);
  const device = (name: string) => {
    const path = partitions.get(name);
    if (path !== undefined) return nodeBlockDevice(path, undefined, `${path} (${name})`);
    throw new PineError('NOT_FOUND_PARTITION', 'the disk lacks a partition', {
      expected: `a partition named ${name}`,
      found: [...partitions.keys()].join(', ') || 'none with a name',
      where: `/dev/${disk}`,
      remedy: 'check the partition table: sfdisk -d',
    });
  };
  const grub = new GrubBootLoader(device('boot'));
  const previousPath = partitions.get('previous');
  // After an emergency boot: the block that `boot-complete` has written since.
  const written = running.block ?? (await findBlock(grub, running));
  return {
    slots: { a: device('root-a'), b: device('root-b') },
    bootLoader: grub,
    rescue: grub,
    ...(previousPath !== undefined && {
      previous: { ...device('previous'), path: previousPath },
    }),
    files,
    disk: `/dev/${disk.replaceAll('!', '/')}`,
    root: '/',
    data: '/data',
    etc: '/etc',
    homes: { root: '/root', users: '/home' },
    volatile: '/run/pine',
    crashRecords: '/sys/fs/pstore',
    healthFolders: ['/etc/pine/health.d', '/usr/lib/pine/health.d'],
    hookFolders: ['/etc/pine/hooks.d', '/usr/lib/pine/hooks.d'],
    clock: systemClock,
    network: nodeNetwork,
    running: { ...running, block: written },
    effects: {
      reboot: async () => void (await promisify(execFile)('reboot')),
      runProgram,
      giveWay: () => setPriority(constants.priority.PRIORITY_BELOW_NORMAL),
      lock: (seconds = 0) => waitForLock('/run/pine/lock', seconds),
    },
  };
}

async function findBlock(
  bootLoader: GrubBootLoader,
  { deployment, slot }: Machine['running'],
): Promise<number | undefined> {
  const deployments = await readDeployments(bootLoader);
  return deployments.find((entry) => entry.id === deployment && entry.slot === slot)?.block;
}

/** Device paths of a disk's partitions by their names in the partition table. */
async function findPartitions(
  files: FileSystem,
  disk: string,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const entry of (await files.readFolder(`/sys/class/block/${disk}`)) ?? []) {
    if (!entry.startsWith(disk)) continue;
    const bytes = await files.readFile(`/sys/class/block/${disk}/${entry}/uevent`, 4096);
    const name = /^PARTNAME=(.+)$/m.exec(bytes?.toString('utf8') ?? '')?.[1];
    if (name !== undefined) found.set(name, `/dev/${entry.replaceAll('!', '/')}`);
  }
  return found;
}
