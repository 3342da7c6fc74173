import type { TakeOverRecord } from '../take-over/record.ts';
import { waitingStage } from './attempts.ts';
import { stopDeadline } from './deadline.ts';
import { type LetIn, letInStage, readLetIn } from './first-trial/let-in.ts';
import { firstTrial } from './first-trial/take-over.ts';
import { readWaiting, startWaiting, type Waiting } from './first-trial/waiting.ts';
import { followConfirmation } from './follow-confirmation.ts';
import { endsTrial, type JudgedCheck, readHealthReport } from './health/health-report.ts';
import type { HealthSettings } from './health/health-settings.ts';
import { judge } from './health/judge.ts';
import type { HookSettings } from './hooks/run-hooks.ts';
import { tellOutcome } from './hooks/tell-outcome.ts';
import type { Machine } from './machine.ts';
import { withNotice } from './notice.ts';
import { recoverChoice } from './recover.ts';
import { changeChoice } from './refusals.ts';
import { retireBlocks } from './retire-blocks.ts';
import { settleFallBack } from './settle.ts';
import { hasFallenBack, markSettled, readSituation, trialDeployment } from './situation.ts';
import { forgetArmedStaging, removeStaged } from './staging/staged-file.ts';
import { transition } from './transitions.ts';
import { logTrial } from './trial-log.ts';
import { underLock } from './under-lock.ts';

/** How a boot was judged. */
export type BootOutcome =
  /** Nothing was pending. */
  | { readonly kind: 'ordinary' }
  | { readonly kind: 'confirmed'; readonly checks: readonly JudgedCheck[] }
  /** Required health checks of the trial failed: the machine reboots. */
  | { readonly kind: 'failed'; readonly failed: readonly JudgedCheck[] }
  /** The first trial of a take-over passed its health checks: a login confirms it, or the time that was allowed. */
  | ({ readonly kind: 'waiting' } & Waiting)
  /** A trial ended before, and this is the deployment that it fell back to. */
  | { readonly kind: 'fell-back'; readonly reason: string; readonly held: boolean }
  /** The boot loader could not follow its choice; it has a fresh one. */
  | { readonly kind: 'recovered' }
  /** On trial without its data: neither confirmed nor failed, and the try is given back (S11). */
  | { readonly kind: 'postponed' };

export interface BootCompleteOptions {
  readonly health: HealthSettings;
  readonly hooks: HookSettings;
  /** Tries that a trial has at most when one is given back. */
  readonly tries: number;
  readonly note: (text: string) => void;
}

/** Another pinectl may be at work for a moment, such as an `upgrade` that will be refused. */
const lockWait = 120;

/**
 * What happens once per boot, when userspace is up. Only the deployment that is booted is ever confirmed, and only
 * if it is the one on trial. An ordinary boot writes nothing to the boot choice (S4).
 *
 * Health checks run without the lock, so that `rollback` can end a trial meanwhile; what is decided by them is
 * decided under the lock, on what the boot choice says then.
 */
export async function bootComplete(
  machine: Machine,
  options: BootCompleteOptions,
): Promise<BootOutcome> {
  const outcome = await judgeBoot(machine, options);
  await tellOutcome(machine, options.hooks, options.note);
  return outcome;
}

async function judgeBoot(machine: Machine, options: BootCompleteOptions): Promise<BootOutcome> {
  const begun = await withNotice(machine, () =>
    underLock(machine, () => begin(machine, options), lockWait),
  );
  if (begun !== 'on-trial') return begun;
  const { health, note } = options;
  const required = await judgeOnce(machine, health, note);
  const decided = await withNotice(machine, () =>
    underLock(machine, () => decide(machine, options, required), lockWait),
  );
  if (decided.kind !== 'confirmed') return decided;
  // Wanted ones come after: however long they take, they use up nothing of the trial's time.
  const checks = await judge(machine, health, 'wanted', required, note);
  await underLock(machine, () => followConfirmation(machine, 'now', note), lockWait);
  return { kind: 'confirmed', checks };
}

/** The required checks. Those of a trial that waits for a login have passed: they are not run again for it. */
async function judgeOnce(
  machine: Machine,
  health: HealthSettings,
  note: (text: string) => void,
): Promise<readonly JudgedCheck[]> {
  if ((await readWaiting(machine)) === undefined) {
    return judge(machine, health, 'required', [], note);
  }
  const report = await readHealthReport(machine);
  return report?.deployment === machine.running.deployment ? report.checks : [];
}

async function begin(
  machine: Machine,
  options: BootCompleteOptions,
): Promise<BootOutcome | 'on-trial'> {
  const situation = await readSituation(machine);
  const { running } = machine;
  const degraded = running.data === 'degraded';
  const trial = situation.choice?.trial;
  await forgetArmedStaging(machine, situation);
  if (situation.choice === undefined || (running.choice === 'emergency' && !situation.settled)) {
    await recoverChoice(machine, situation);
    // Which deployments were tried and left is not certain any more: nothing is armed by itself.
    if (!degraded) await removeStaged(machine);
    return { kind: 'recovered' };
  }
  if (situation.choice.previous === true) {
    // Chosen since this boot, by `hijack --undo`: the rest is for whoever boots next.
    if (situation.settled || running.previousSkipped === undefined) return { kind: 'ordinary' };
    const { previousSkipped } = running;
    options.note(`the old system was chosen, and could not be started (${previousSkipped})`);
    await changeChoice(machine.bootLoader, { kind: 'redo', running: running.block ?? 0 });
  }
  if (trial !== undefined && trial.block === running.block) {
    if ((await readWaiting(machine)) !== undefined) return 'on-trial';
    if (!degraded && (await logTrial(machine, 'userspace', options.note))) return 'on-trial';
    return postpone(machine, options);
  }
  // S11: without the data partition the reason could not be kept. The trial has no way to start meanwhile.
  if (degraded) return { kind: 'ordinary' };
  if (hasFallenBack(machine, situation)) {
    const reason = await settleFallBack(machine, situation);
    const settled = await readSituation(machine);
    await retireBlocks(machine, settled);
    const held = settled.state.held.some(
      ({ commit }) => commit === trialDeployment(situation)?.commit,
    );
    return { kind: 'fell-back', reason, held };
  }
  if (situation.choice.order.includes(running.block ?? 0))
    await followConfirmation(machine, 'made good', options.note);
  return { kind: 'ordinary' };
}

/** S11: what is wrong is the data, not the deployment. Once per boot, as the boot loader took one try. */
async function postpone(machine: Machine, options: BootCompleteOptions): Promise<BootOutcome> {
  if (!(await readSituation(machine)).settled) {
    const running = machine.running.block ?? 0;
    await changeChoice(machine.bootLoader, { kind: 'return-try', running, limit: options.tries });
    await markSettled(machine);
  }
  await stopDeadline(machine);
  return { kind: 'postponed' };
}

async function decide(
  machine: Machine,
  options: BootCompleteOptions,
  checks: readonly JudgedCheck[],
): Promise<BootOutcome> {
  const { bootLoader, effects, running } = machine;
  const event = { kind: 'confirm', running: running.block ?? 0 } as const;
  const choice = await bootLoader.readChoice();
  // A rollback may have ended the trial while the checks ran.
  if ('refused' in transition(choice, event)) return { kind: 'ordinary' };
  const failed = checks.filter(endsTrial);
  for (const { name, detail } of failed) {
    const kept = await logTrial(machine, `health ${name} failed: ${detail}`, options.note);
    if (!kept) return postpone(machine, options); // the disk broke meanwhile: that may be why
  }
  if (failed.length > 0) {
    await effects.reboot();
    return { kind: 'failed', failed };
  }
  const first = await firstTrial(machine, choice);
  if (first !== undefined) {
    const letIn = (await readLetIn(machine)) ?? allowedAtOnce(first);
    if (letIn === undefined) return { kind: 'waiting', ...(await wait(machine, first, options)) };
    await logTrial(machine, letInStage(letIn), options.note);
  }
  await changeChoice(bootLoader, event);
  await stopDeadline(machine);
  return { kind: 'confirmed', checks };
}

function allowedAtOnce({ confirmAfter }: TakeOverRecord): LetIn | undefined {
  return confirmAfter === 0 ? { kind: 'time', seconds: 0 } : undefined;
}

/** The deadline of the trial goes on: without a login it ends this try. */
async function wait(
  machine: Machine,
  record: TakeOverRecord,
  { note }: BootCompleteOptions,
): Promise<Waiting> {
  const waiting = await readWaiting(machine);
  if (waiting !== undefined) return waiting;
  await logTrial(machine, waitingStage, note);
  return startWaiting(machine, record);
}
