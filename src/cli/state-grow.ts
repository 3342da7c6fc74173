import { openMachine } from './machine-options.ts';
import { print } from './output.ts';

/** `pinectl state grow`. */
export async function grow(options: { json?: boolean }): Promise<void> {
  const { bootedDataDisk } = await import('../deploy/growth/data-disk.ts');
  const { describeGrowth } = await import('../deploy/growth/describe-growth.ts');
  const { growData } = await import('../deploy/growth/grow-data.ts');
  const machine = await openMachine({});
  const outcome = await growData(machine, await bootedDataDisk(machine.files), false);
  print(options.json, outcome, () => describeGrowth(outcome));
  if (outcome.kind === 'failed') process.exitCode = 1;
}
