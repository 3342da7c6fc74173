import { type BootChoice, withoutPrevious } from '../../boot/choice.ts';
import { GrubBootLoader } from '../../boot/grub/grub.ts';
import { type Partition, readPartitions } from '../../disk/gpt.ts';
import { nodeBlockDevice } from '../../disk/node-block-device.ts';
import { PineError } from '../../error.ts';
import type { Host } from './host.ts';
import { blockDeviceColumns, parseBlockDevices, waysTo } from './storage/block-devices.ts';
import { readPartitionTable } from './storage/partition-table.ts';
import { unreadableDisk } from './storage/unreadable-disk.ts';

/** What the next boot of a machine that runs its old system does. */
export type BackToPine =
  /** It starts pine, as it was left. */
  | { readonly kind: 'pine' }
  /** Pine had failed its first trial: it is tried again. */
  | { readonly kind: 'another-trial'; readonly tries: number };

/**
 * On the old system: lets pine be started from the next boot on. One write of one sector of pine's boot partition
 * (S3), of which nothing is mounted; nothing is opened for writing before it was read. Throws NOT_FOUND_PINE,
 * IO_READ_DISK, STATE_NO_CHOICE, STATE_NOT_UNDONE.
 */
export async function backToPine(
  host: Host,
  tries: number,
  openDisk: typeof nodeBlockDevice = nodeBlockDevice,
): Promise<BackToPine> {
  const diskPath = await rootDisk(host);
  const grub = new GrubBootLoader(await bootPartition(diskPath, openDisk));
  const choice = await grub.readChoice();
  const { next, outcome } = choiceOfPine(choice, tries, diskPath);
  await grub.writeChoice(next);
  return outcome;
}

/** The choice by which pine is started; a first trial without tries gets new ones. */
export function choiceOfPine(
  choice: BootChoice | undefined,
  tries: number,
  where: string,
): { readonly next: BootChoice; readonly outcome: BackToPine } {
  if (choice === undefined) {
    throw new PineError('STATE_NO_CHOICE', 'the boot choice is damaged', {
      expected: 'a boot choice that the boot loader can read',
      found: 'nothing that could be read',
      where,
      remedy: 'reboot: pine is started, and writes a fresh one',
    });
  }
  const next = withoutPrevious(choice);
  const { order, trial } = next;
  if (trial?.tries === 0 && order.length === 1) {
    const again = { order, trial: { block: trial.block, tries } };
    return { next: again, outcome: { kind: 'another-trial', tries } };
  }
  if (choice.previous === true) return { next, outcome: { kind: 'pine' } };
  throw new PineError('STATE_NOT_UNDONE', 'the next boot starts pine already', {
    expected: 'the old system to be chosen',
    found: `order ${order.join(' ')}`,
    where,
    remedy: 'reboot',
  });
}

async function rootDisk(host: Host): Promise<string> {
  const json = await host.report('lsblk', ['-J', '-b', '-o', blockDeviceColumns]);
  const [way = []] = waysTo(parseBlockDevices(json ?? '{}'), (one) => one.mountPoint === '/');
  const [disk, partition] = way;
  if (disk === undefined) throw noPine('a disk with the root file system', 'none', 'lsblk');
  if (partition !== undefined) return disk.path;
  throw noPine('the root file system on a partition', 'one on all of the disk', disk.path);
}

async function bootPartition(diskPath: string, openDisk: typeof nodeBlockDevice) {
  const partitions = await readTable(diskPath, openDisk);
  const names = partitions.map(({ name }) => name);
  const boot = partitions.find(({ name }) => name === 'boot');
  if (boot !== undefined && ['previous', 'root-a', 'root-b'].every((name) => names.includes(name)))
    return openDisk(diskPath, boot, `${diskPath} (boot)`);
  throw noPine(
    'partitions previous, boot, root-a and root-b',
    names.join(', ') || 'none',
    diskPath,
  );
}

/** None of an MBR, whose partitions have no names. */
async function readTable(diskPath: string, openDisk: typeof nodeBlockDevice): Promise<Partition[]> {
  try {
    const device = await openDisk(diskPath).open('read');
    try {
      const { kind } = await readPartitionTable(device, diskPath);
      return kind === 'mbr' ? [] : await readPartitions(device, diskPath);
    } finally {
      await device.close();
    }
  } catch (error) {
    throw unreadableDisk(diskPath, error);
  }
}

function noPine(expected: string, found: string, where: string): PineError {
  return new PineError('NOT_FOUND_PINE', 'this disk has no pine to go back to', {
    ...{ expected, found, where },
    remedy: 'take this machine over: pinectl hijack --help',
  });
}
