import type { Progress } from '../ports/progress.ts';
import { stopDeadline } from './deadline.ts';
import type { Numbered } from './deployments.ts';
import { findConfirmed } from './find-confirmed.ts';
import type { HookSettings } from './hooks/run-hooks.ts';
import { tellOutcome } from './hooks/tell-outcome.ts';
import type { Machine } from './machine.ts';
import { withNotice } from './notice.ts';
import { etcFolder } from './paths.ts';
import { changeChoice, choiceAfter, refuseUndone } from './refusals.ts';
import { addOnce, describeEvent, settleFallBack } from './settle.ts';
import {
  hasFallenBack,
  markSettled,
  readSituation,
  refuseEmergency,
  runningDeployment,
  type Situation,
  trialDeployment,
} from './situation.ts';
import type { Staged } from './staging/staged.ts';
import { forgetArmedStaging, readStaged, removeStaged } from './staging/staged-file.ts';
import { withHold } from './state.ts';
import { writeState } from './state-files.ts';
import { underLock } from './under-lock.ts';

export interface RollbackOptions {
  readonly reboot: boolean;
  readonly hooks: HookSettings;
  readonly note: (text: string) => void;
  readonly progress?: Progress;
}

export type RollbackOutcome =
  /** The machine boots `to` next. */
  | {
      readonly kind: 'left';
      readonly left: string;
      readonly to: Numbered;
      readonly rebooting: boolean;
      /** False when what was left were other kernel arguments for the same image. */
      readonly held: boolean;
    }
  /** An upgrade that was staged or armed and not yet booted is given up. */
  | { readonly kind: 'given-up'; readonly left: string; readonly held: boolean }
  /** The trial had failed already, and this is what it fell back to. */
  | {
      readonly kind: 'fell-back';
      readonly left: string;
      readonly reason: string;
      readonly held: boolean;
    };

/**
 * Leaves the running deployment for a confirmed one and holds its commit; during a trial this ends the trial. An
 * upgrade that waits for its reboot is given up instead. One write of one sector decides (S3), and no later
 * `boot-complete` brings back what was left, since it is no longer on trial.
 */
export async function rollback(
  machine: Machine,
  options: RollbackOptions,
): Promise<RollbackOutcome> {
  const outcome = await withNotice(machine, () => choose(machine, options));
  // After a reboot it is for boot-complete to tell.
  if (outcome.kind !== 'left') await tellOutcome(machine, options.hooks, options.note);
  return outcome;
}

async function choose(machine: Machine, options: RollbackOptions): Promise<RollbackOutcome> {
  return underLock(machine, async () => {
    const situation = await readSituation(machine);
    refuseEmergency(machine, situation);
    refuseUndone(situation.choice); // before anything is recorded
    await forgetArmedStaging(machine, situation);
    const trial = trialDeployment(situation);
    const own = runningDeployment(machine, situation.deployments);
    if (trial !== undefined && hasFallenBack(machine, situation)) {
      const reason = await settleFallBack(machine, situation);
      const held = trial.commit !== own?.commit;
      return { kind: 'fell-back', left: trial.commit, reason, held };
    }
    if (trial !== undefined && trial.block !== machine.running.block) {
      return await giveUp(machine, situation, trial, trial.commit !== own?.commit);
    }
    const staged = trial === undefined ? await readStaged(machine, situation) : undefined;
    if (staged !== undefined) return await giveUpStaged(machine, situation, staged);
    return await leave(machine, situation, options);
  });
}

async function giveUp(
  machine: Machine,
  situation: Situation,
  trial: Numbered,
  held: boolean,
): Promise<RollbackOutcome> {
  await record(machine, situation, trial, 'given up before it was booted', held);
  const running = machine.running.block ?? 0;
  await changeChoice(machine.bootLoader, { kind: 'drop-trial', running });
  await markSettled(machine);
  return { kind: 'given-up', left: trial.commit, held };
}

/** S7: until the record is whole it is still staged, and the rollback is simply asked for again. */
async function giveUpStaged(
  machine: Machine,
  situation: Situation,
  { deployment: id, slot, commit }: Staged,
): Promise<RollbackOutcome> {
  await record(machine, situation, { id, slot, commit }, 'given up before it was armed', true);
  await removeStaged(machine);
  return { kind: 'given-up', left: commit, held: true };
}

async function leave(
  machine: Machine,
  situation: Situation,
  options: RollbackOptions,
): Promise<RollbackOutcome> {
  const { bootLoader, effects } = machine;
  const own = runningDeployment(machine, situation.deployments);
  const to = await findConfirmed(machine, situation, options.progress);
  const running = machine.running.block ?? 0;
  const event = { kind: 'roll-back', running, to: to.block } as const;
  choiceAfter(situation.choice, event); // refused before anything is written
  if ((await machine.files.status(etcFolder(machine, to.id))) === undefined) {
    options.note(`the /etc of ${to.id} is gone: it will start with the one of its image`);
  }
  const held = own !== undefined && own.commit !== to.commit;
  const reason = `left for ${to.id} by rollback`;
  if (own !== undefined) await record(machine, situation, own, reason, held);
  await changeChoice(bootLoader, event);
  await markSettled(machine);
  if (options.reboot) await effects.reboot();
  else await stopDeadline(machine); // the reboot is the administrator's
  return { kind: 'left', left: own?.commit ?? '', to, rebooting: options.reboot, held };
}

/** The hold first: if the cut comes before the choice, the rollback is simply asked for again (S7). */
async function record(
  machine: Machine,
  { state }: Situation,
  left: Pick<Numbered, 'id' | 'slot' | 'commit'>,
  reason: string,
  held: boolean,
) {
  const event = await describeEvent(machine, left, 'rolled-back', reason);
  const hold = { commit: left.commit, since: machine.clock.now(), reason };
  await writeState(machine, addOnce(held ? withHold(state, hold) : state, event));
}
