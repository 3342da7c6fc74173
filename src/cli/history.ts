import type { Command } from 'commander';
import type { HistoryEvent } from '../deploy/state.ts';
import { addMachineOptions, type MachineOptions, note, openMachine } from './machine-options.ts';
import { print } from './output.ts';

export function define(command: Command): void {
  addMachineOptions(command).addHelpText('after', '\nExample:\n  pinectl history').action(run);
}

async function run(options: MachineOptions): Promise<void> {
  const { readState } = await import('../deploy/state-files.ts');
  const { readPins } = await import('../deploy/pins/pin-file.ts');
  const { isPinned } = await import('../deploy/pins/pins.ts');
  const machine = await openMachine(options);
  const { value, note: damage } = await readState(machine);
  if (damage !== undefined) note(damage);
  const pins = await readPins(machine);
  const events = value.history.map((event) => ({
    ...event,
    pinned: isPinned(pins, event.deployment),
  }));
  print(options.json, events, () => events.map(describe).join('\n'));
}

function describe(event: HistoryEvent & { readonly pinned: boolean }): string {
  const { time, kind, deployment, slot, version, reason, pinned } = event;
  const when = new Date(time * 1000).toISOString().replace('.000Z', 'Z');
  const what = [deployment, `slot ${slot}`, version, pinned ? 'pinned' : ''];
  const words = what.filter((word) => word !== '').join(', ');
  return `${when}  ${kind.padEnd(11)}  ${words}${reason === '' ? '' : `: ${reason}`}`;
}
