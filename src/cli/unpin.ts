import type { Command } from 'commander';
import { addMachineOptions, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

interface Options extends MachineOptions {
  readonly all?: boolean;
}

export function define(command: Command): void {
  addMachineOptions(command)
    .argument('[deployment]', 'as with `pinectl pin`; not needed if only one is pinned')
    .option('--all', 'all that are pinned')
    .addHelpText(
      'after',
      `
Examples:
  pinectl unpin           the only one that is pinned
  pinectl unpin other
  pinectl unpin --all`,
    )
    .action(run);
}

async function run(name: string | undefined, options: Options): Promise<void> {
  const { unpin } = await import('../deploy/pins/pin.ts');
  const everything = options.all ?? false;
  const outcome = await unpin(await openMachine(options), { name, everything }, note);
  const { changed, deployments } = outcome;
  print(options.json, outcome, () => {
    if (deployments.length === 0) return 'nothing is pinned';
    return `${deployments.join(', ')} ${changed ? 'is not pinned any more' : 'was not pinned'}`;
  });
}
