import type { Command } from 'commander';
import type { FinalizeOutcome } from '../deploy/staging/finalize.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .addHelpText(
      'after',
      `
Run by the OpenRC service pine-finalize-staged when the machine goes down. It merges /etc once more, as it
is then, and makes the next boot the trial of what is staged. What \`pinectl kargs --no-reboot\` has armed gets
/etc as it is then, and goes first. Nothing waits: nothing happens.

Examples:
  pinectl upgrade --no-reboot && pinectl finalize-staged   as \`upgrade\`, without its reboot`,
    )
    .action(run);
}

async function run(options: MachineOptions): Promise<void> {
  const { finalizeStaged } = await import('../deploy/staging/finalize.ts');
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const machine = await openMachine(options);
  const { hooks, etc } = await readSettings(machine, configurationFolder(machine, options), note);
  const outcome = await finalizeStaged(machine, {
    hooks,
    note,
    afterArming: async (deployment, version) => {
      const { recordSafely } = await import('../deploy/etc-history/record-etc.ts');
      await recordSafely(machine, { kind: 'upgrade', deployment, version }, { ...etc, note });
    },
  });
  print(options.json, outcome, () => describe(outcome));
}

function describe(outcome: FinalizeOutcome): string {
  switch (outcome.kind) {
    case 'nothing':
      return 'nothing is staged';
    case 'armed':
      return `${outcome.deployment} is armed: the next boot is its trial`;
    case 'kept':
      return `${outcome.deployment} stays staged: ${outcome.why}`;
  }
}
