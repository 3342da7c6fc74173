import type { Command } from 'commander';
import type { RollbackOutcome } from '../deploy/rollback.ts';
import {
  addMachineOptions,
  configurationFolder,
  type MachineOptions,
  note,
  openMachine,
} from './machine-options.ts';
import { print } from './output.ts';
import { terminalProgress } from './progress.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .option('--no-reboot', 'choose the other deployment, and leave the reboot to you')
    .addHelpText(
      'after',
      `
Goes back to the last confirmed deployment. The commit that is left is held: it comes back with
\`pinectl upgrade --retry\` only. During a trial this ends the trial; when an upgrade or a change of kernel
arguments waits for its reboot, it is given up.

Example:
  pinectl rollback`,
    )
    .action(run);
}

async function run(options: MachineOptions & { readonly reboot: boolean }): Promise<void> {
  const { rollback } = await import('../deploy/rollback.ts');
  const { readSettings } = await import('../deploy/lenient-configuration.ts');
  const machine = await openMachine(options);
  const { hooks } = await readSettings(machine, configurationFolder(machine, options), note);
  const { report, end } = terminalProgress();
  const outcome = await rollback(machine, {
    reboot: options.reboot,
    hooks,
    note,
    progress: report,
  }).finally(end);
  print(options.json, outcome, () => describe(outcome));
}

function describe(outcome: RollbackOutcome): string {
  const left = outcome.held ? `; commit ${outcome.left.slice(0, 12)} is held` : '';
  if (outcome.kind === 'given-up') return `what waited for its reboot is given up${left}`;
  if (outcome.kind === 'fell-back') return `the trial had failed already: ${outcome.reason}${left}`;
  const { id, slot } = outcome.to;
  const when = outcome.rebooting ? 'rebooting into' : 'the next boot is';
  return `${when} deployment ${id} in slot ${slot}${left}`;
}
