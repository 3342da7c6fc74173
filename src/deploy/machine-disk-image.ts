import { resolve } from 'node:path';
import type { BootChoice } from '../boot/choice.ts';
import { GrubBootLoader } from '../boot/grub/grub.ts';
import { readPartitions } from '../disk/gpt.ts';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { systemClock } from '../ports/clock.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { type Numbered, readDeployments } from './deployments.ts';
import { waitForLock } from './lock.ts';
import type { Machine, Running } from './machine.ts';
import { runProgram } from './run-program.ts';
import { parseSkips } from './running.ts';

export interface DiskImageOptions {
  /** Path of the disk image. */
  readonly disk: string;
  /** A folder that stands for the data partition. */
  readonly state: string;
  /** Which deployment counts as booted: an id or a block; by default the first confirmed of the order. */
  readonly running?: string | undefined;
  /** What the boot loader would have skipped at this boot, as `2:hash`. */
  readonly skipped?: string | undefined;
}

/**
 * A disk image file as a machine, so that everything but the boot itself can be tried without root. It needs no
 * mounts: the boot partition is read and written as on a real machine, `state` stands for the data partition.
 */
export async function diskImageMachine(options: DiskImageOptions): Promise<Machine> {
  const [disk, data] = [resolve(options.disk), resolve(options.state)];
  const device = await nodeBlockDevice(disk).open('read');
  const partitions = await readPartitions(device, disk).finally(() => device.close());
  const part = (name: string) => {
    const found = partitions.find((partition) => partition.name === name);
    if (found !== undefined) return nodeBlockDevice(disk, found, `${disk} (${name})`);
    throw new PineError('NOT_FOUND_PARTITION', 'the disk lacks a partition', {
      expected: `a partition named ${name}`,
      found: partitions.map((partition) => partition.name).join(', ') || 'none',
      where: disk,
      remedy: 'make the disk with `pinectl image`',
    });
  };
  const grub = new GrubBootLoader(part('boot'));
  const hasPrevious = partitions.some(({ name }) => name === 'previous');
  const choice = await grub.readChoice();
  const booted = findBooted(options, choice, await readDeployments(grub));
  const etc = `${data}/etc/${booted.id}`;
  // Whoever tells what was skipped plays a new boot, and that empties /run.
  if (options.skipped !== undefined) await nodeFileSystem.remove(`${data}/run`);
  return {
    slots: { a: part('root-a'), b: part('root-b') },
    bootLoader: grub,
    rescue: grub,
    ...(hasPrevious && { previous: { ...part('previous'), path: `${disk} (previous)` } }),
    files: nodeFileSystem,
    disk,
    data,
    etc,
    homes: { root: `${data}/state/root`, users: `${data}/state/home` },
    volatile: `${data}/run`,
    healthFolders: [`${etc}/pine/health.d`],
    hookFolders: [], // they are for the machine, not for the host
    clock: systemClock,
    running: describe(options, choice, booted),
    effects: {
      reboot: async () => {}, // a file does not boot
      runProgram,
      lock: (seconds = 0) => waitForLock(`${data}/lock`, seconds),
    },
  };
}

function findBooted(
  { running, disk }: DiskImageOptions,
  choice: BootChoice | undefined,
  deployments: readonly Numbered[],
): Numbered {
  const confirmed = (choice?.order ?? []).filter((block) => block !== choice?.trial?.block);
  const found =
    running === undefined
      ? (deployments.find(({ block }) => block === confirmed[0]) ?? deployments[0])
      : deployments.find(({ id, block }) => id === running || String(block) === running);
  if (found !== undefined) return found;
  throw new PineError('NOT_FOUND_DEPLOYMENT', 'the disk does not have this deployment', {
    expected: deployments.map(({ id, block }) => `${id} (block ${block})`).join(' or ') || 'any',
    found: running ?? 'none',
    where: disk,
    remedy: 'name one of them with --running',
  });
}

function describe(
  { skipped = '' }: DiskImageOptions,
  choice: BootChoice | undefined,
  booted: Numbered,
): Running {
  const onTrial = choice?.trial?.block === booted.block;
  return {
    deployment: booted.id,
    slot: booted.slot,
    block: booted.block,
    choice: choice === undefined ? 'emergency' : onTrial ? 'trial' : 'order',
    skipped: parseSkips(skipped),
    data: 'ok',
    dataDetail: '',
    watchdogFired: false,
  };
}
