import type { Command } from 'commander';
import { addMachineOptions, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command)
    .argument(
      '[deployment]',
      'booted, other, a block, or the beginning of an id or commit',
      'booted',
    )
    .addHelpText(
      'after',
      `
A pinned deployment stays, with its slot, its kernel arguments and its /etc: \`pinectl upgrade\`, also an
unattended one, refuses to overwrite it, and \`pinectl rollback\` can go back to it. Only a confirmed
deployment can be pinned. With two slots, one that is pinned leaves room for one more upgrade at most.

Examples:
  pinectl pin             what runs
  pinectl pin other       what is in the other slot`,
    )
    .action(run);
}

async function run(deployment: string, options: MachineOptions): Promise<void> {
  const { pin } = await import('../deploy/pins/pin.ts');
  const outcome = await pin(await openMachine(options), deployment, note);
  const how = outcome.changed ? 'is pinned' : 'was pinned already';
  print(options.json, outcome, () => `${outcome.deployments.join(', ')} ${how}`);
}
