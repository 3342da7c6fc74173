import { PineError } from '../../error.ts';
import type { Plan } from '../../plan/plan-file.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { openStoredPlan, storePlan } from './plan-store.ts';
import type { Survey, UpgradeRemote } from './survey.ts';

/** The full plan of the new commit, fetched if it is not on the data partition. Throws CORRUPT_PLAN. */
export async function openNewPlan(
  machine: Machine,
  { accepted }: Extract<Survey, { kind: 'new' }>,
  { remote }: { readonly remote: UpgradeRemote },
): Promise<Plan> {
  const { checksum, plan: digest } = accepted;
  const path = planFile(machine, checksum);
  const plan =
    (await openStoredPlan(machine.files, path, digest)) ??
    (await storePlan(machine.files, path, digest, remote.fetchPlan(checksum, digest)));
  if (plan.imageSize === accepted.image.size) return plan;
  throw new PineError('CORRUPT_PLAN', 'the plan of a commit is for another image', {
    expected: `an image of ${accepted.image.size} bytes`,
    found: `${plan.imageSize} bytes`,
    where: 'the plan',
    remedy: 'make it again on the build host: pinectl plan REF',
  });
}
