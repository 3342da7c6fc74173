import type { Host } from '../host.ts';
import { type Inspection, requirePlan } from '../inspect.ts';
import type { OpenRemote, WantedCommit } from '../wanted-commit.ts';
import { type Staged, stageTakeOver, type TakeOver } from './stage.ts';

/** What is asked of a take-over, beside what the machine's inspection came to. */
export interface TakeOverWish
  extends Pick<TakeOver, 'kexec' | 'oldSystem' | 'confirmation' | 'tries' | 'newDeploymentId'> {
  readonly commit: WantedCommit;
}

/** Where a take-over's commit comes from, and who is told of it. */
export interface TakeOverPorts extends Pick<TakeOver, 'clock' | 'progress' | 'note'> {
  readonly host: Host;
  readonly openRemote: OpenRemote;
}

/** Prepares the take-over of a machine that was inspected. Throws what is in its way, and as stageTakeOver does. */
export async function stageInspected(
  { facts, preflight, planAgain }: Inspection,
  { commit, ...wish }: TakeOverWish,
  { openRemote, ...ports }: TakeOverPorts,
): Promise<Staged> {
  const disk = requirePlan(preflight);
  const { remote, ref, keys, keyTexts } = commit;
  const repository = await openRemote(remote);
  try {
    const source = { remote: repository, ref, keys };
    return await stageTakeOver({
      ...{ ...ports, ...wish, facts, disk, planAgain, source, remote, keyTexts },
    });
  } finally {
    await repository.close();
  }
}
