import { bootComplete } from '../../../src/deploy/boot-complete.ts';
import { standardHealth } from '../../../src/deploy/health/health-settings.ts';
import { standardHooks } from '../../../src/deploy/hooks/run-hooks.ts';
import {
  type ChangeOptions,
  changeArguments,
} from '../../../src/deploy/kernel-arguments/change.ts';
import type { ArgumentsEdit } from '../../../src/deploy/kernel-arguments/edit.ts';
import type { Running } from '../../../src/deploy/machine.ts';
import type { Releases } from './releases.ts';
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

/** What a boot is judged with. */
export const bootSettings = {
  ...{ health: standardHealth, hooks: standardHooks, tries: 2 },
  note: () => {},
};

/** What the changes of a machine's arguments come to, one after the other: deployments of what runs in slot a. */
export function changesOf({ v1 }: Pick<Releases, 'v1'>) {
  /** The id of one, by how many came before it. */
  const idOf = (serial: number) => `${v1.checksum.slice(0, 12)}.${serial}`;
  /** The machine after the reboot into one. */
  const inBlock = (block: number, serial: number, choice: Running['choice']): MachineSettings => ({
    running: { deployment: idOf(serial), slot: 'a', block, choice },
  });
  /** Boots one on trial, and has it confirmed. */
  const confirm = (world: World, block: number, serial: number) =>
    bootComplete(machineOf(world, inBlock(block, serial, 'trial')), bootSettings);
  return { idOf, inBlock, confirm };
}
