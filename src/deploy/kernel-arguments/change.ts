import { PineError } from '../../error.ts';
import { fingerprintEtc } from '../../etc/fingerprint.ts';
import type { Numbered } from '../deployments.ts';
import { allChecks } from '../health/all-checks.ts';
import { baselineOf } from '../health/baseline.ts';
import { runChecks } from '../health/health-check.ts';
import type { Settings } from '../lenient-configuration.ts';
import type { Machine } from '../machine.ts';
import { measureFolder } from '../measure-folder.ts';
import { withNotice } from '../notice.ts';
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
import { readStaged } from '../staging/staged-file.ts';
import { underLock } from '../under-lock.ts';
import { argumentsForTrial } from '../upgrade/kernel-arguments.ts';
import { refuseArmed } from '../upgrade/refuse.ts';
import { checkDataSpace } from '../upgrade/space.ts';
import { runSteps } from '../upgrade/steps.ts';
import { tidy } from '../upgrade/tidy.ts';
import { changeSteps } from './change-steps.ts';
import { type ChangeWork, changeWork } from './change-work.ts';
import { type ArgumentsEdit, editArguments } from './edit.ts';
import { noteEtc } from './rearm.ts';

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

/**
 * Makes a deployment of what runs (or of a change that is armed and waits for its boot) with other kernel arguments,
 * in the same slot, and arms it for a trial. The running one stays as it is and is what it falls back to.
 */
export function changeArguments(machine: Machine, options: ChangeOptions): Promise<ChangeOutcome> {
  return withNotice(machine, () => changeUnderLock(machine, options));
}

async function changeUnderLock(machine: Machine, options: ChangeOptions): Promise<ChangeOutcome> {
  return underLock(machine, async () => {
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
    const etc = await fingerprintEtc(machine.files, machine.etc);
    await markSettled(machine);
    await runSteps(changeSteps, work);
    if (!options.reboot) await noteEtc(machine, etc); // S8
    await tidy(machine);
    if (options.reboot) await machine.effects.reboot();
    const { id } = work.deployment;
    const rebooting = options.reboot;
    return { kind: 'armed', deployment: id, arguments: kernelArguments, before, rebooting };
  });
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
  return changeWork(machine, situation, own, {
    ...{ kernelArguments, tries: trial.tries, hooks, note },
    failing: baselineOf(outcomes),
  });
}

function unknownRunning({ running }: Machine): PineError {
  return new PineError('STATE_IN_USE', 'it is not certain which deployment runs', {
    expected: `deployment ${running.deployment} in block ${running.block}`,
    found: 'another one, or none',
    where: 'the boot partition',
    remedy: 'reboot and try again',
  });
}
