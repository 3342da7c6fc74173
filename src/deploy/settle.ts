import { type Attempt, readAttempts } from './attempts.ts';
import type { Numbered } from './deployments.ts';
import { removeDurably } from './durable-file.ts';
import { explainFallBack } from './fall-back.ts';
import { readPanic } from './kernel-panic.ts';
import type { Machine } from './machine.ts';
import { attemptsFile } from './paths.ts';
import { changeChoice } from './refusals.ts';
import {
  hasFallenBack,
  markSettled,
  readSituation,
  runningDeployment,
  type Situation,
  trialDeployment,
} from './situation.ts';
import { readSlot } from './slot-contents.ts';
import { forgetArmedStaging } from './staging/staged-file.ts';
import { type HistoryEvent, type MachineState, withEvent, withHold } from './state.ts';
import { writeState } from './state-files.ts';

/**
 * Closes the book on a trial that failed: why is recorded and its commit held, then it leaves the order. In
 * that order, so that a cut in between is made good by the next call (S7). Returns why it failed.
 */
export async function settleFallBack(machine: Machine, situation: Situation): Promise<string> {
  const { choice, state } = situation;
  const { running, files, clock } = machine;
  const trial = trialDeployment(situation);
  const attempts = trial ? await readAttempts(files, attemptsFile(machine, trial.id)) : [];
  const reason = explainFallBack({
    running,
    block: choice?.trial?.block ?? 0,
    tries: choice?.trial?.tries ?? 0,
    attempts,
    panic: await panicOf(machine, situation, attempts),
  });
  if (trial !== undefined) {
    const event = await describeEvent(machine, trial, 'fell-back', reason);
    const hold = { commit: trial.commit, since: clock.now(), reason };
    // What failed were other kernel arguments for the same image: that one is good.
    const sameImage = runningDeployment(machine, situation.deployments)?.commit === trial.commit;
    await writeState(machine, addOnce(sameImage ? state : withHold(state, hold), event));
  }
  await changeChoice(machine.bootLoader, { kind: 'drop-trial', running: running.block ?? 0 });
  await markSettled(machine);
  if (trial !== undefined) await removeDurably(files, attemptsFile(machine, trial.id));
  return reason;
}

/** What the kernel of the trial said, if it is on record since the trial was armed. */
async function panicOf(
  { files, crashRecords }: Machine,
  situation: Situation,
  attempts: readonly Attempt[],
): Promise<string | undefined> {
  if (crashRecords === undefined) return undefined;
  const trial = trialDeployment(situation)?.id;
  const armed = situation.state.history.findLast(
    ({ kind, deployment }) => kind === 'armed' && deployment === trial,
  );
  const since = armed?.time ?? attempts[0]?.time;
  return since === undefined ? undefined : readPanic(files, crashRecords, since);
}

/** The situation, after a trial that failed was closed if there was one. What is decided next starts from it. */
export async function settleIfFallenBack(
  machine: Machine,
  note: (text: string) => void,
): Promise<Situation> {
  const situation = await readSituation(machine);
  await forgetArmedStaging(machine, situation);
  if (!hasFallenBack(machine, situation) || machine.running.data === 'degraded') return situation;
  note(`the last trial was left: ${await settleFallBack(machine, situation)}`);
  return readSituation(machine);
}

/** An event of the history about a deployment, now. */
export async function describeEvent(
  machine: Machine,
  deployment: Pick<Numbered, 'id' | 'slot' | 'commit'>,
  kind: HistoryEvent['kind'],
  reason: string,
): Promise<HistoryEvent> {
  const { id, slot, commit } = deployment;
  const contents = await readSlot(machine.slots[slot]).catch(() => undefined);
  const version = contents?.checksum === commit ? contents.version : '';
  return { time: machine.clock.now(), kind, deployment: id, slot, commit, version, reason };
}

/** The state with an event, unless the last one already says so: a run that was cut wrote it (S7). */
export function addOnce(state: MachineState, event: HistoryEvent): MachineState {
  const last = state.history.at(-1);
  const known = last?.kind === event.kind && last.deployment === event.deployment;
  return known ? state : withEvent(state, event);
}
