import type { BootChoice } from '../../boot/choice.ts';
import type { Machine } from '../machine.ts';
import { readSituation, trialDeployment } from '../situation.ts';
import type { HistoryEvent } from '../state.ts';
import { isSystemError } from '../trial-log.ts';
import { type HookSettings, tellHooks } from './run-hooks.ts';
import { isAbout, readTold, type Told, writeTold } from './told.ts';

/** A hook that reboots the machine must not do so for ever. */
const mostRuns = 3;

/**
 * Runs the hooks for what the history says happened last, if that was not done yet: a confirmation, or a rollback
 * once the machine is back. Which event they were run for is kept, so that a power cut during a hook repeats it and
 * nothing else does (S7). It needs no lock, and a hook may call pinectl.
 */
export async function tellOutcome(
  machine: Machine,
  settings: HookSettings,
  note: (text: string) => void,
): Promise<void> {
  const situation = await readSituation(machine);
  const event = situation.state.history.findLast(({ kind }) => events[kind] !== undefined);
  const name = event && events[event.kind];
  if (event === undefined || name === undefined) return;
  const trial = trialDeployment(situation)?.id;
  if (!hasHappened(machine, situation.choice, trial, event)) return;
  const told = await readTold(machine);
  const before = isAbout(told, event) ? told?.hooks : undefined;
  if (before?.kind === 'ended') return;
  const times = (before?.times ?? 0) + 1;
  if (times > mostRuns) return;
  const { time, kind, deployment } = event;
  const tell = (hooks: Told['hooks']) => writeTold(machine, { time, kind, deployment, hooks });
  try {
    await tell({ kind: 'started', times });
    const failed = await tellHooks(machine, name, event, settings);
    for (const hook of failed) note(`hook ${hook.name} failed: ${hook.detail}`);
    await tell({ kind: 'ended', failed });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    note(`that the hooks were run can not be kept: ${error.message}`);
  }
}

const events: Partial<Record<HistoryEvent['kind'], 'after-confirmation' | 'after-rollback'>> = {
  confirmed: 'after-confirmation',
  'fell-back': 'after-rollback',
  'rolled-back': 'after-rollback',
};

/**
 * The history is written before the boot choice. An event has happened once the choice agrees, and what runs is
 * where it led: the confirmed deployment, or another one than was left.
 */
function hasHappened(
  { running }: Machine,
  choice: BootChoice | undefined,
  trial: string | undefined,
  { kind, deployment }: HistoryEvent,
): boolean {
  if (choice === undefined || trial === running.deployment) return false;
  if (!choice.order.includes(running.block ?? 0)) return false;
  if (kind === 'confirmed') return deployment === running.deployment;
  return deployment !== running.deployment && deployment !== trial;
}
