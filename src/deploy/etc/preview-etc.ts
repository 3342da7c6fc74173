import { PineError } from '../../error.ts';
import type { Conflict } from '../../etc/conflicts.ts';
import type { Plan } from '../../plan/plan-file.ts';
import { planReader } from '../../plan/plan-reader.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { openNewPlan } from '../upgrade/new-plan.ts';
import { heldPlan, openPlanBytes, openStoredPlan } from '../upgrade/plan-store.ts';
import type { Survey, UpgradeRemote } from '../upgrade/survey.ts';
import { isOfFiles } from '../upgrade/way-errors.ts';
import { mergeRunningEtc } from './merge-sides.ts';

type New = Extract<Survey, { kind: 'new' }>;

export interface PreviewOptions {
  readonly remote: UpgradeRemote;
  readonly note: (text: string) => void;
  /** Whether a plan that is too large to be held in memory may be written to the data partition. */
  readonly store: boolean;
}

/**
 * The conflicts that the merge of /etc will have, before a byte of the slot is written. Of the new image only the tables,
 * which are in its plan, and the files under /etc that differ are fetched. `undefined`, with a note, where the remote does
 * not have them (a bundle of a delta does not) or they are damaged, or the plan is too large to look at without writing it: then they are told
 * once the slot is written.
 */
export async function previewConflicts(
  machine: Machine,
  found: New,
  options: PreviewOptions,
): Promise<readonly Conflict[] | undefined> {
  const later = 'conflicts under /etc can be told only once the new image is here';
  try {
    const plan = await openPlan(machine, found, options);
    if (plan !== undefined) return await previewEtc(machine, found, plan, options);
    options.note(
      `${later}: its plan has ${found.accepted.plan.size} bytes, and is not held in memory`,
    );
  } catch (error) {
    const isMissing = error instanceof PineError && error.code.startsWith('NOT_FOUND_');
    // What is wrong with files is no reason to end: there may be another way.
    if (!isMissing && !isOfFiles(error)) throw error;
    options.note(later);
  }
  return undefined;
}

/** S9: a small plan is held in memory; a large one is stored, or `undefined` where that is not wanted. */
async function openPlan(
  machine: Machine,
  found: New,
  { remote, store }: PreviewOptions,
): Promise<Plan | undefined> {
  const { checksum, plan: digest } = found.accepted;
  const stored = await openStoredPlan(machine.files, planFile(machine, checksum), digest);
  if (stored !== undefined) return stored;
  if (digest.size > heldPlan) return store ? openNewPlan(machine, found, { remote }) : undefined;
  return openPlanBytes(digest, remote.fetchPlan(checksum, digest), `commit ${checksum}`);
}

async function previewEtc(
  machine: Machine,
  { running }: New,
  plan: Plan,
  { remote, note }: PreviewOptions,
): Promise<readonly Conflict[]> {
  const { files, slots } = machine;
  const old =
    running.plan &&
    (await openStoredPlan(files, planFile(machine, running.checksum), running.plan));
  const device = await slots[machine.running.slot].open('read');
  try {
    const reader = planReader(plan, remote.objects, { device, plan: old });
    const size = plan.imageSize;
    return (await mergeRunningEtc(machine, { reader, size }, { note })).conflicts;
  } finally {
    await device.close();
  }
}
