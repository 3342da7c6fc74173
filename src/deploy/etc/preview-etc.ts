import type { MergeReport } from '../../etc/merge/merge-etc.ts';
import { planReader } from '../../plan/plan-reader.ts';
import { useRanges } from '../../plan/ranges.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { openPlanBytes, openStoredPlan } from '../upgrade/plan-store.ts';
import type { Survey, UpgradeRemote } from '../upgrade/survey.ts';
import { mergeRunningEtc } from './merge-sides.ts';

/**
 * What the merge of /etc will come to, before a byte is written. Of the new image only the tables, which are in its
 * plan, and the files under /etc that differ are fetched.
 */
export async function previewEtc(
  machine: Machine,
  { accepted, running }: Extract<Survey, { kind: 'new' }>,
  remote: UpgradeRemote,
  note: (text: string) => void,
): Promise<MergeReport> {
  const { files, slots } = machine;
  const { checksum, plan: digest } = accepted;
  const plan =
    (await openStoredPlan(files, planFile(machine, checksum), digest)) ??
    (await openPlanBytes(digest, remote.fetchPlan(checksum, digest), `commit ${checksum}`));
  const old =
    running.plan &&
    (await openStoredPlan(files, planFile(machine, running.checksum), running.plan));
  const base = await slots[machine.running.slot].open('read');
  try {
    const segments = old === undefined ? plan.segments() : useRanges(plan, old);
    const reader = await planReader(segments, remote.objects, base);
    return await mergeRunningEtc(machine, { reader, size: plan.imageSize }, { note });
  } finally {
    await base.close();
  }
}
