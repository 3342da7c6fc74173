import type { Deployment, SlotName } from '../../../src/boot/choice.ts';
import { encodeChoice } from '../../../src/boot/grub/choice-codec.ts';
import { encodeDeployment } from '../../../src/boot/grub/deployment-codec.ts';
import type { Lock, Machine, ProgramResult, Running } from '../../../src/deploy/machine.ts';
import { PineError } from '../../../src/error.ts';
import { trailerSize } from '../../../src/image/trailer.ts';
import { BootPartition, bootPartitionSize } from './boot.ts';
import { Disk } from './disk.ts';
import { Files } from './files.ts';
import { keepAll, type Loss } from './loss.ts';
import { Power } from './power.ts';
import type { Release } from './release.ts';

export const slotSize = 2 * 1024 * 1024;

/** Everything of a machine that survives a power cut, and what it is plugged into. */
export interface World {
  readonly power: Power;
  readonly slots: Readonly<Record<SlotName, Disk>>;
  readonly boot: BootPartition;
  readonly files: Files;
}

/** The content of a slot that holds a release. */
export function slotWith(release: Release | undefined): Buffer {
  const bytes = Buffer.alloc(slotSize, 0xa5);
  if (release === undefined) return bytes;
  release.image.copy(bytes, 0);
  release.trailer.copy(bytes, slotSize - trailerSize);
  return bytes;
}

export interface WorldOptions {
  readonly a: Release | undefined;
  readonly b: Release | undefined;
  readonly order: readonly number[];
  readonly trial?: { readonly block: number; readonly tries: number };
}

export const deploymentA = 'first';
export const deploymentB = 'second';

/** A machine at rest: block 1 is slot a, block 2 slot b; /etc of both is there. */
export async function makeWorld({ a, b, order, trial }: WorldOptions): Promise<World> {
  const power = new Power();
  const bytes = Buffer.alloc(bootPartitionSize, '#');
  encodeChoice({ order, ...(trial && { trial }) }).copy(bytes, 0);
  const block = (number: number, deployment: Deployment) =>
    encodeDeployment(deployment).copy(bytes, 512 + (number - 1) * 4096);
  const kernelArguments = 'console=ttyS0';
  if (a) block(1, { id: deploymentA, slot: 'a', kernelArguments, commit: a.checksum });
  if (b) block(2, { id: deploymentB, slot: 'b', kernelArguments, commit: b.checksum });
  const files = new Files(power);
  await fillEtc(files, deploymentA);
  if (b) await fillEtc(files, deploymentB);
  for (const release of [a, b]) {
    if (release === undefined) continue;
    await files.makeFolder('/data/pine/plans', 0o755);
    await files.writeFile(`/data/pine/plans/${release.checksum}.plan`, release.plan, 0o644);
  }
  files.settleAll();
  const slots = { a: new Disk('a', slotWith(a), power), b: new Disk('b', slotWith(b), power) };
  const boot = new BootPartition(new Disk('boot', bytes, power));
  return afterCut({ power, slots, boot, files }, keepAll); // with writes counted from 1
}

async function fillEtc(files: Files, id: string): Promise<void> {
  const etc = `/data/etc/${id}`;
  await files.makeFolder(`${etc}/ssh`, 0o755);
  await files.makeFolder(`${etc}/pine/health.d`, 0o755);
  await files.writeFile(`${etc}/hostname`, Buffer.from('web1\n'), 0o644);
  await files.writeFile(`${etc}/shadow`, Buffer.from('root:*:::\n'), 0o640);
  await files.setOwner(`${etc}/shadow`, 0, 42);
  await files.writeFile(`${etc}/ssh/ssh_host_ed25519_key`, Buffer.from('secret'), 0o600);
  await files.makeLink('/usr/share/zoneinfo/UTC', `${etc}/localtime`);
  await files.writeFile(`${etc}/pine/health.d/web`, Buffer.from('#!/bin/sh\n'), 0o755);
}

/** The world as the next boot finds it: the same disks and files, without what the cut took. */
export function afterCut(world: World, loss: Loss): World {
  const power = new Power();
  const boot = new BootPartition(world.boot.disk.afterCut(loss, power));
  boot.rescue = world.boot.rescue;
  const files = world.files.afterCut(loss, power);
  files.free = world.files.free;
  return {
    power,
    slots: { a: world.slots.a.afterCut(loss, power), b: world.slots.b.afterCut(loss, power) },
    boot,
    files,
  };
}

export interface MachineSettings {
  readonly running?: Partial<Running>;
  readonly check?: (path: string) => ProgramResult;
  readonly onReboot?: () => void;
}

/** The machine that `world` is, with one of its deployments running. By default the one in slot a. */
export function machineOf(world: World, settings: MachineSettings = {}): Machine {
  const running: Running = {
    deployment: deploymentA,
    slot: 'a',
    block: 1,
    choice: 'order',
    skipped: [],
    data: 'ok',
    dataDetail: '',
    watchdogFired: false,
    ...settings.running,
  };
  const etc = `/data/etc/${running.deployment}`;
  let locked = false;
  const lock = async (): Promise<Lock> => {
    if (locked) throw new PineError('STATE_LOCKED', 'locked', noDetails);
    locked = true;
    return {
      release: async () => {
        locked = false;
      },
    };
  };
  return {
    slots: world.slots,
    bootLoader: world.boot,
    rescue: world.boot,
    files: world.files,
    data: '/data',
    etc,
    homes: { root: '/data/state/root', users: '/data/state/home' },
    volatile: '/run/pine',
    healthFolders: [`${etc}/pine/health.d`],
    hookFolders: [`${etc}/pine/hooks.d`],
    clock: { now: () => 1_800_000_000 },
    running,
    effects: {
      reboot: async () => settings.onReboot?.(),
      runProgram: async (path) => settings.check?.(path) ?? { passed: true, detail: 'exit 0' },
      lock,
    },
  };
}

const noDetails = { expected: '', found: '', where: '', remedy: '' };
