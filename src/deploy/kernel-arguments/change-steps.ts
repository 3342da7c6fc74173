import { copyOrigin } from '../origin/origin-file.ts';
import { arm, mergeIntoNewEtc, remember, writeArguments } from '../upgrade/arm.ts';
import type { Step } from '../upgrade/work.ts';
import type { ChangeWork } from './change-work.ts';

/**
 * Takes deployments out of the order that this one makes superfluous, so that there is always a free argument
 * block: what stays is the running one, the best of the other slot, and what is pinned.
 */
async function prune({ machine, pruned }: ChangeWork): Promise<void> {
  if (pruned !== undefined) await machine.bootLoader.writeChoice(pruned);
}

/** Before anything names the new deployment. */
async function noteOrigin({ machine, own, deployment }: ChangeWork): Promise<void> {
  await copyOrigin(machine, own, deployment.id);
}

/** A change of arguments, in the order that S3 and S6 ask for. It can be cut anywhere and run again (S7). */
export const changeSteps: readonly Step<ChangeWork>[] = [
  { name: 'prune the order', run: prune },
  // Before /etc is merged: a hook may change it.
  { name: 'ask the hooks', run: (work) => work.askBeforeArming() },
  { name: 'merge /etc', run: mergeIntoNewEtc },
  { name: 'note the origin', run: noteOrigin },
  { name: 'write the arguments', run: writeArguments },
  { name: 'remember', run: remember },
  { name: 'arm', run: arm },
];
