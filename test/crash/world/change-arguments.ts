import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import {
  type ChangeOptions,
  changeArguments,
} from '../../../src/deploy/kernel-arguments/change.ts';
import type { ArgumentsEdit } from '../../../src/deploy/kernel-arguments/edit.ts';
import type { Release } from './release.ts';
import { type MachineSettings, machineOf, type World } from './world.ts';

/** An edit that changes nothing. */
export const noEdit: ArgumentsEdit = {
  ...{ append: [], appendIfMissing: [], delete: [], deleteIfPresent: [], replace: [] },
};

/** What a change is asked with; by default it appends `nosmt`. */
export const changeOptions = (
  edit: Partial<ArgumentsEdit> = { append: ['nosmt'] },
): ChangeOptions => ({
  edit: { ...noEdit, ...edit },
  trial: { tries: 2, deadline: 300 },
  health: standardHealth,
  hooks: standardHooks,
  reboot: true,
  note: () => {},
});

/** Changes the kernel arguments of a machine. */
export const change = (world: World, edit?: Partial<ArgumentsEdit>, machine = machineOf(world)) =>
  changeArguments(machine, changeOptions(edit));

/** The id of the deployment that a change made of a release, by how many came before it. */
export const changedId = ({ checksum }: Release, serial: number) =>
  `${checksum.slice(0, 12)}.${serial}`;

/** The machine after the reboot into such a deployment, which is of slot a. */
export const inChanged = (
  release: Release,
  block: number,
  serial: number,
  choice: 'trial' | 'order',
): MachineSettings => ({
  running: { deployment: changedId(release, serial), slot: 'a', block, choice },
});

export const bootSettings = {
  ...{ health: standardHealth, hooks: standardHooks, tries: 2 },
  note: () => {},
};

/** Boots such a deployment on trial, and has it confirmed. */
export const confirmChanged = (world: World, release: Release, block: number, serial: number) =>
  bootComplete(machineOf(world, inChanged(release, block, serial, 'trial')), bootSettings);
