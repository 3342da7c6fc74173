import { PineError } from '../../error.ts';
import { encodeTrailer } from '../../image/trailer.ts';
import type { Plan } from '../../plan/open-plan.ts';
import type { Segment } from '../../plan/segment.ts';
import { decodeCommit } from '../../repo/commit-object.ts';
import { promisedImage } from '../../repo/pine-metadata.ts';
import type { Numbered } from '../deployments.ts';
import type { Machine } from '../machine.ts';
import { runningDeployment, type Situation } from '../situation.ts';
import { describeTrailer, readSlot, type SlotContents } from '../slot-contents.ts';
import { openBasePlan } from '../upgrade/base-plan.ts';
import type { ImageWork } from '../upgrade/work.ts';
import { findDamage } from './find-damage.ts';
import { findSources, noRemote, repairSegments } from './repair-source.ts';
import { findPlan, type VerifyOptions } from './verify-slot.ts';

export interface RepairOptions extends VerifyOptions {
  readonly note: (text: string) => void;
  /** Bytes between two flushes of the slot; 16 MiB when not given. */
  readonly checkpointBytes?: number;
}

/** A slot that is written again: `segments` are of both slots as one base, the running one first. */
export interface RepairWork extends Omit<ImageWork, 'recipe'> {
  readonly segments: (runningSize: number) => AsyncIterable<Segment>;
}

/** Finds out what is damaged in a slot and where each piece of it comes from, before anything is written. Throws NOT_FOUND_PLAN. */
export async function prepareRepair(
  machine: Machine,
  situation: Situation,
  deployment: Numbered,
  options: RepairOptions,
): Promise<Omit<RepairWork, 'target' | 'relist'>> {
  const { remote, note, progress } = options;
  const contents = await promisedContents(machine, deployment, options);
  const running = machine.slots[machine.running.slot];
  const other = machine.slots[deployment.slot];
  const plan = await findPlan(machine, contents, remote);
  if (plan === undefined) throw noPlan(deployment.commit, other.name);
  const basePlan = await runningPlan(machine, situation, note);
  const [runningDevice, otherDevice] = [await running.open('read'), await other.open('read')];
  try {
    const damage = await findDamage(otherDevice, plan, progress);
    const base = basePlan && { device: runningDevice, plan: basePlan };
    const sources = await findSources(damage, base, remote?.objects ?? noRemote);
    return {
      machine,
      deployment,
      image: contents.image,
      trailer: encodeTrailer(contents.trailer),
      segments: (runningSize) => repairSegments(plan, damage, sources, runningSize),
      segmentsWithoutBase: () => plan.segments(),
      objects: remote?.objects ?? noRemote,
      resumeAt: 0,
      checkpointBytes: options.checkpointBytes ?? 16 * 1024 * 1024,
      progress,
      note,
    };
  } finally {
    await runningDevice.close();
    await otherDevice.close();
  }
}

/** What the slot held, by its trailer if that is signed, or else by the remote. Throws as `authenticate` does (S5). */
async function promisedContents(
  { slots }: Machine,
  { slot, commit: checksum }: Numbered,
  { remote, keys }: RepairOptions,
): Promise<SlotContents> {
  const { name } = slots[slot];
  const present = await readSlot(slots[slot]).catch(() => undefined);
  const own = present?.checksum === checksum ? present.trailer : undefined;
  const { authenticate } = await import('../../trust/authenticate.ts');
  const signed = own ?? (await remote?.fetchCommit(checksum));
  if (signed === undefined) throw noPlan(checksum, name);
  const { commit, detachedMetadata = new Uint8Array() } = signed;
  await authenticate({ checksum, commit, detachedMetadata, keys });
  const imageSize = promisedImage(decodeCommit(commit, name))?.size ?? 0;
  return describeTrailer({ imageSize, commit, detachedMetadata }, name);
}

/** The plan of the running slot: where in it there may be a copy of what is damaged. */
async function runningPlan(
  machine: Machine,
  { deployments }: Situation,
  note: (text: string) => void,
): Promise<Plan | undefined> {
  const own = runningDeployment(machine, deployments);
  const contents = await readSlot(machine.slots[machine.running.slot]).catch(() => undefined);
  if (contents === undefined || contents.checksum !== own?.commit) return undefined;
  return openBasePlan(machine, contents, note);
}

function noPlan(commit: string, where: string): PineError {
  return new PineError(
    'NOT_FOUND_PLAN',
    'what the slot held is not known well enough to repair it',
    {
      expected: 'its commit and its plan, here or on the remote',
      found: 'neither',
      where: `${where}, commit ${commit}`,
      remedy: 'name a remote that has this commit, or write the slot anew: pinectl upgrade',
    },
  );
}
