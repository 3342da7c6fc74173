import type { Deployment } from '../../boot/choice.ts';
import type { HookSettings } from '../hooks/run-hooks.ts';
import { rearmArguments } from '../kernel-arguments/rearm.ts';
import type { Machine } from '../machine.ts';
import { withNotice } from '../notice.ts';
import { markSettled, readSituation, type Situation, trialDeployment } from '../situation.ts';
import { underLock } from '../under-lock.ts';
import { armingSteps, runSteps } from '../upgrade/steps.ts';
import { tidy } from '../upgrade/tidy.ts';
import { armingWork } from './arming-work.ts';
import { readStaged } from './staged-file.ts';

export interface FinalizeOptions {
  readonly hooks: HookSettings;
  readonly note: (text: string) => void;
  /** What nothing depends on is done once it is armed. It must not throw. */
  readonly afterArming?: (deployment: Deployment, version: string) => Promise<void>;
}

export type FinalizeOutcome =
  | { readonly kind: 'nothing' }
  /** The next boot is its trial. */
  | { readonly kind: 'armed'; readonly deployment: string; readonly commit: string }
  /** It stays staged, since this is no moment to arm it. */
  | { readonly kind: 'kept'; readonly deployment: string; readonly why: string };

/** Another pinectl may be at work for a moment. */
const lockWait = 60;

/**
 * Arms what is staged, when the machine goes down: the merge is repeated with /etc as it is then (S8), and the next boot
 * is the trial. A change of kernel arguments that waits for its reboot gets /etc as it is then, and goes first. Cut
 * anywhere, the machine boots what it booted before and the deployment is still staged (S7).
 */
export function finalizeStaged(
  machine: Machine,
  options: FinalizeOptions,
): Promise<FinalizeOutcome> {
  return withNotice(machine, async () => {
    return underLock(
      machine,
      async () => {
        // Somebody waits for the machine to go down: all hooks together have the time of one.
        const hooks = { ...options.hooks, together: options.hooks.timeout };
        const limited = { ...options, hooks };
        const rearmed = await rearmArguments(machine, await readSituation(machine), limited);
        if (rearmed === undefined) return await finalizeUnderLock(machine, limited);
        return { kind: 'armed', deployment: rearmed.id, commit: rearmed.commit };
      },
      lockWait,
    );
  });
}

/** The same, for whoever has the lock. */
export async function finalizeUnderLock(
  machine: Machine,
  options: FinalizeOptions,
): Promise<FinalizeOutcome> {
  const situation = await readSituation(machine);
  const staged = await readStaged(machine, situation);
  if (staged === undefined) return { kind: 'nothing' };
  const { deployment, commit } = staged;
  const why = obstacle(machine, situation, commit);
  if (why !== undefined) return { kind: 'kept', deployment, why };
  await markSettled(machine);
  const work = armingWork(machine, situation, staged, options);
  await runSteps(armingSteps, work);
  await tidy(machine);
  await options.afterArming?.(work.deployment, work.version);
  return { kind: 'armed', deployment, commit };
}

function obstacle({ running }: Machine, situation: Situation, commit: string): string | undefined {
  const { choice, state, settled } = situation;
  if (choice === undefined) return 'the boot choice is damaged';
  if (running.choice === 'emergency' && !settled)
    return 'the boot loader could not follow its choice';
  if (choice.previous === true) return 'the next boot starts the old system';
  if (trialDeployment(situation) !== undefined) return 'another deployment is on trial';
  if (!choice.order.includes(running.block ?? 0)) return 'a rollback waits for its reboot';
  if (state.held.some((hold) => hold.commit === commit)) return 'its commit is held';
  return undefined;
}
