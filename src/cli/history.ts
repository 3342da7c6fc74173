import type { Command } from 'commander';
import type { ToldEvent } from '../deploy/history.ts';
import { addMachineOptions, type MachineOptions, note, openMachine } from './machine-options.ts';
import { describeOrigin } from './origin-text.ts';
import { formatTime, print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command).addHelpText('after', '\nExample:\n  pinectl history').action(run);
}

async function run(options: MachineOptions): Promise<void> {
  const { readHistory } = await import('../deploy/history.ts');
  const { events, damage } = await readHistory(await openMachine(options));
  if (damage !== undefined) note(damage);
  print(options.json, events, () => events.map(describe).join('\n'));
}

function describe(event: ToldEvent): string {
  const { time, kind, deployment, slot, version, reason, pinned, origin } = event;
  const what = [deployment, `slot ${slot}`, version, pinned ? 'pinned' : ''];
  const words = what.filter((word) => word !== '').join(', ');
  const why = reason === '' && origin !== undefined ? describeOrigin(origin) : reason;
  return `${formatTime(time)}  ${kind.padEnd(11)}  ${words}${why === '' ? '' : `: ${why}`}`;
}
