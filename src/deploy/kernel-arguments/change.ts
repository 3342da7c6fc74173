import type { BootChoice } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import { freeBlock, type Numbered, newDeploymentId } from '../deployments.ts';
import { allChecks } from '../health/all-checks.ts';
import { baselineOf } from '../health/baseline.ts';
import { runChecks } from '../health/health-check.ts';
import { askHooks } from '../hooks/run-hooks.ts';
import type { Settings } from '../lenient-configuration.ts';
import type { Machine } from '../machine.ts';
import { measureFolder } from '../measure-folder.ts';
import { withNotice } from '../notice.ts';
import { isPinned } from '../pins/pins.ts';
import { takenBlocks } from '../pins/protection.ts';
import { choiceAfter } from '../refusals.ts';
import { settleIfFallenBack } from '../settle.ts';
import {
  armedDeployment,
  markSettled,
  refuseDegraded,
  refuseEmergency,
  runningDeployment,
  type Situation,
} from '../situation.ts';
import { readSlot } from '../slot-contents.ts';
import { readStaged } from '../staging/staged-file.ts';
import { arm, mergeIntoNewEtc, remember, writeArguments } from '../upgrade/arm.ts';
import { argumentsForTrial } from '../upgrade/kernel-arguments.ts';
import { noFreeBlock, refuseArmed } from '../upgrade/refuse.ts';
import { checkDataSpace } from '../upgrade/space.ts';
import { runSteps } from '../upgrade/steps.ts';
import { tidy } from '../upgrade/tidy.ts';
import type { ArmingWork, Step, Work } from '../upgrade/work.ts';
import { type ArgumentsEdit, editArguments } from './edit.ts';

export interface ChangeOptions extends Pick<Settings, 'trial' | 'health' | 'hooks'> {
  readonly edit: ArgumentsEdit;
  readonly reboot: boolean;
  readonly note: (text: string) => void;
}

export type ChangeOutcome =
  | { readonly kind: 'unchanged'; readonly arguments: string }
  | {
      readonly kind: 'armed';
      readonly deployment: string;
      readonly arguments: string;
      readonly before: string;
      readonly rebooting: boolean;
    };

/** What a change writes, with the choice that makes room for it, if there must be one. */
interface ChangeWork extends ArmingWork, Pick<Work, 'askBeforeArming'> {
  readonly pruned: BootChoice | undefined;
}

/**
 * Takes deployments out of the order that this one makes superfluous, so that there is always a free argument
 * block: what stays is the running one, the best of the other slot, and what is pinned.
 */
async function prune({ machine, pruned }: ChangeWork): Promise<void> {
  if (pruned !== undefined) await machine.bootLoader.writeChoice(pruned);
}

/** A change of arguments, in the order that S3 and S6 ask for. It can be cut anywhere and run again (S7). */
export const changeSteps: readonly Step<ChangeWork>[] = [
  { name: 'prune the order', run: prune },
  // Before /etc is merged: a hook may change it.
  { name: 'ask the hooks', run: (work) => work.askBeforeArming() },
  { name: 'merge /etc', run: mergeIntoNewEtc },
  { name: 'write the arguments', run: writeArguments },
  { name: 'remember', run: remember },
  { name: 'arm', run: arm },
];

/**
 * Makes a deployment of what runs (or of a change that is armed and waits for its boot) with other kernel arguments,
 * in the same slot, and arms it for a trial. The running one stays as it is and is what it falls back to.
 */
export function changeArguments(machine: Machine, options: ChangeOptions): Promise<ChangeOutcome> {
  return withNotice(machine, () => changeUnderLock(machine, options));
}

async function changeUnderLock(machine: Machine, options: ChangeOptions): Promise<ChangeOutcome> {
  const lock = await machine.effects.lock();
  try {
    refuseDegraded(machine);
    const situation = await settleIfFallenBack(machine, options.note);
    const { own, base } = findBase(machine, situation);
    const before = base.kernelArguments;
    const wanted = editArguments(before, options.edit);
    const kernelArguments = argumentsForTrial(wanted, options.trial.deadline);
    machine.bootLoader.checkArguments(kernelArguments);
    if (kernelArguments === argumentsForTrial(before, options.trial.deadline)) {
      return { kind: 'unchanged', arguments: before };
    }
    const work = await prepare(machine, situation, own, kernelArguments, options);
    if ((await readStaged(machine, situation)) !== undefined) {
      options.note(
        'an upgrade is staged: it waits for the reboot after that, and takes these along',
      );
    }
    await markSettled(machine);
    await runSteps(changeSteps, work);
    await tidy(machine);
    if (options.reboot) await machine.effects.reboot();
    const { id } = work.deployment;
    const rebooting = options.reboot;
    return { kind: 'armed', deployment: id, arguments: kernelArguments, before, rebooting };
  } finally {
    await lock.release();
  }
}

/** The arguments as the next boot has them, if nothing goes wrong. Writes nothing. */
export function nextArguments(
  machine: Machine,
  situation: Situation,
): { readonly deployment: string; readonly arguments: string; readonly armed: boolean } {
  const armed = armedDeployment(machine, situation);
  const found = armed ?? runningDeployment(machine, situation.deployments);
  if (found === undefined) throw unknownRunning(machine);
  return { deployment: found.id, arguments: found.kernelArguments, armed: armed !== undefined };
}

function findBase(machine: Machine, situation: Situation): { own: Numbered; base: Numbered } {
  refuseEmergency(machine, situation);
  // S1: refused on trial, and after a rollback that waits for its reboot.
  choiceAfter(situation.choice, {
    kind: 'unlist',
    running: machine.running.block ?? 0,
    blocks: [],
  });
  const own = runningDeployment(machine, situation.deployments);
  if (own === undefined) throw unknownRunning(machine);
  const armed = armedDeployment(machine, situation);
  if (armed !== undefined && armed.slot !== own.slot) throw refuseArmed(armed);
  return { own, base: armed ?? own };
}

async function prepare(
  machine: Machine,
  situation: Situation,
  own: Numbered,
  kernelArguments: string,
  { trial, health, hooks, note }: ChangeOptions,
): Promise<ChangeWork> {
  const { files, etc } = machine;
  await checkDataSpace(machine, await measureFolder(files, etc), 'a copy of /etc'); // S10
  const outcomes = await runChecks(await allChecks(machine, health));
  const failing = outcomes.filter(({ passed }) => !passed);
  for (const { name, detail } of failing) note(`health check ${name} fails already: ${detail}`);
  const pruned = prunedChoice(situation, own);
  const { order } = pruned ?? situation.choice ?? { order: [] };
  const taken = takenBlocks(situation, order);
  const block = freeBlock(situation.deployments, taken, own.slot);
  if (block === undefined) throw noFreeBlock(taken);
  const id = newDeploymentId(own.commit, await takenIds(machine, situation));
  const contents = await readSlot(machine.slots[own.slot]);
  const version = contents?.version ?? '';
  const reason = `kernel arguments: ${kernelArguments}`;
  const { commit, slot } = own;
  return {
    machine,
    target: { running: own.block },
    deployment: { id, slot, kernelArguments, commit },
    block,
    tries: trial.tries,
    version,
    baseline: { deployment: id, failing: baselineOf(outcomes) },
    reason,
    askBeforeArming: () =>
      askHooks(machine, 'before-arming', { commit, version, slot, deployment: id, reason }, hooks),
    note,
    pruned,
  };
}

/** Ids that a new deployment must not have. One that a cut kept from being armed is free again (S7). */
async function takenIds(
  { files, data }: Machine,
  { choice, deployments, state, stateLost }: Situation,
): Promise<ReadonlySet<string>> {
  const isListed = ({ block }: Numbered) => choice?.order.includes(block) ?? false;
  const listed = deployments.filter(isListed).map(({ id }) => id);
  const known = state.history.map(({ deployment }) => deployment);
  const last = state.history.at(-1);
  const cut = last?.kind === 'armed' && !listed.includes(last.deployment) ? last.deployment : '';
  // Without a history every folder may be one that can be gone back to.
  const folders = stateLost ? ((await files.readFolder(`${data}/etc`)) ?? []) : [];
  return new Set([...listed, ...folders, ...known.filter((id) => id !== cut)]);
}

/** `undefined` when nothing is superfluous: what is pinned never is. An armed trial is replaced by arming (S3), not here. */
function prunedChoice(
  { choice, deployments, pins }: Situation,
  own: Numbered,
): BootChoice | undefined {
  if (choice === undefined || choice.trial !== undefined) return undefined;
  const entryOf = (block: number) => deployments.find((entry) => entry.block === block);
  const best = choice.order.find((block) => entryOf(block)?.slot !== own.slot);
  const kept = choice.order.filter(
    (block) => block === own.block || block === best || isPinned(pins, entryOf(block)?.id ?? ''),
  );
  return kept.length === choice.order.length ? undefined : { order: kept };
}

function unknownRunning({ running }: Machine): PineError {
  return new PineError('STATE_IN_USE', 'it is not certain which deployment runs', {
    expected: `deployment ${running.deployment} in block ${running.block}`,
    found: 'another one, or none',
    where: 'the boot partition',
    remedy: 'reboot and try again',
  });
}
