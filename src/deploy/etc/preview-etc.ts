import { PineError } from '../../error.ts';
import type { Conflict } from '../../etc/conflicts.ts';
import { planReader } from '../../plan/plan-reader.ts';
import { useRanges } from '../../plan/ranges.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { openPlanBytes, openStoredPlan } from '../upgrade/plan-store.ts';
import type { Survey, UpgradeRemote } from '../upgrade/survey.ts';
import { mergeRunningEtc } from './merge-sides.ts';

/**
 * The conflicts that the merge of /etc will have, before a byte is written. Of the new image only the tables, which are
 * in its plan, and the files under /etc that differ are fetched. `undefined`, with a note, where the remote does not have
 * them, as a bundle of a delta does not: then they are told once the slot is written.
 */
export async function previewConflicts(
  machine: Machine,
  found: Extract<Survey, { kind: 'new' }>,
  remote: UpgradeRemote,
  note: (text: string) => void,
): Promise<readonly Conflict[] | undefined> {
  try {
    return await previewEtc(machine, found, remote, note);
  } catch (error) {
    if (!(error instanceof PineError) || !error.code.startsWith('NOT_FOUND_')) throw error;
    note('conflicts under /etc can be told only once the new image is here');
    return undefined;
  }
}

async function previewEtc(
  machine: Machine,
  { accepted, running }: Extract<Survey, { kind: 'new' }>,
  remote: UpgradeRemote,
  note: (text: string) => void,
): Promise<readonly Conflict[]> {
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
    const size = plan.imageSize;
    return (await mergeRunningEtc(machine, { reader, size }, { note })).conflicts;
  } finally {
    await base.close();
  }
}
