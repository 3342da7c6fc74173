import { PineError } from '../../error.ts';
import { freeBlock } from '../deployments.ts';
import { askHooks, type HookSettings } from '../hooks/run-hooks.ts';
import type { Machine } from '../machine.ts';
import { takenBlocks } from '../pins/protection.ts';
import { describeChoice } from '../refusals.ts';
import { runningDeployment, type Situation } from '../situation.ts';
import { argumentsForTrial } from '../upgrade/kernel-arguments.ts';
import type { ArmingWork } from '../upgrade/work.ts';
import type { Staged } from './staged.ts';

/** What arming a staged deployment needs. Its kernel arguments are those of the running one, as they are now. */
export function armingWork(
  machine: Machine,
  situation: Pick<Situation, 'choice' | 'deployments' | 'pins'>,
  staged: Staged,
  { hooks, note }: { readonly hooks: HookSettings; readonly note: (text: string) => void },
): ArmingWork {
  const { deployment: id, slot, commit, version, tries, deadline, failing } = staged;
  const { choice, deployments } = situation;
  const own = runningDeployment(machine, deployments);
  const block = freeBlock(deployments, takenBlocks(situation, choice?.order ?? []), slot);
  if (own === undefined || block === undefined) {
    throw new PineError('STATE_IN_USE', 'what is staged can not be armed', {
      expected: 'an argument block of the running deployment, and one that is free',
      found: describeChoice(choice),
      where: 'the boot partition',
      remedy: 'reboot and run `pinectl upgrade` again',
    });
  }
  const subject = { commit, version, slot, deployment: id, reason: '' };
  return {
    machine,
    target: { running: own.block },
    deployment: {
      id,
      slot,
      commit,
      kernelArguments: argumentsForTrial(own.kernelArguments, deadline),
    },
    block,
    tries,
    version,
    baseline: { deployment: id, failing },
    askBeforeArming: () => askHooks(machine, 'before-arming', subject, hooks),
    note,
  };
}
