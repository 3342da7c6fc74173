import type { Command } from 'commander';
import type { HistoryEvent } from '../deploy/state.ts';
import { addMachineOptions, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command).addHelpText('after', '\nExample:\n  pinectl history').action(run);
}

async function run(options: MachineOptions): Promise<void> {
  const { readState } = await import('../deploy/state-files.ts');
  const { value, note: damage } = await readState(await openMachine(options));
  if (damage !== undefined) note(damage);
  print(options.json, value.history, () => value.history.map(describe).join('\n'));
}

function describe({ time, kind, deployment, slot, version, reason }: HistoryEvent): string {
  const when = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
  const what = [deployment, `slot ${slot}`, version].filter((word) => word !== '').join(', ');
  return `${when}  ${kind.padEnd(11)}  ${what}${reason === '' ? '' : `: ${reason}`}`;
}
