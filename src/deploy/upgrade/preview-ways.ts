import { PineError } from '../../error.ts';
import { type PlanSummary, summarizePlan, useRanges } from '../../plan/ranges.ts';
import type { Machine } from '../machine.ts';
import { planFile } from '../paths.ts';
import { measureDelta } from './obtain-deltas.ts';
import { openPlanBytes, openStoredPlan } from './plan-store.ts';
import type { PrepareOptions } from './prepare.ts';
import { reasonOf } from './reason.ts';
import type { Survey } from './survey.ts';
import { isOfFiles, isOfTheDelta } from './way-errors.ts';
import { wayFacts } from './way-facts.ts';
import { compareWays, estimateFiles, isUsable, rank, type Way } from './ways.ts';

type New = Extract<Survey, { kind: 'new' }>;

export interface WaysPreview {
  /** The first is the one that would be taken; those that can't be say why. */
  readonly ways: readonly Way[];
  /** The image's bytes without a delta: objects are fetched, ranges are copied. Absent without a plan. */
  readonly plan?: PlanSummary;
}

/** Compares the ways to the new image, with the beginning of each delta looked at. Writes nothing. */
export async function previewWays(
  machine: Machine,
  found: New,
  options: PrepareOptions,
  kept: number,
): Promise<WaysPreview> {
  let plan: PlanSummary | undefined;
  const summarize = async (): Promise<PlanSummary> => {
    plan ??= await summarizeFiles(machine, found, options);
    return plan;
  };
  const facts = await wayFacts(machine, found, options, { kept, summarize });
  const ways: Way[] = [];
  for (const way of await compareWays(facts)) {
    if (way.kind !== 'files') ways.push(await looked(way, found, options));
    else if (way.figure === 'exact' || !isUsable(way)) ways.push(way);
    else
      ways.push(await estimated(way, () => summarize().then((sum) => estimateFiles(facts, sum))));
  }
  const files = ways.findIndex((way) => way.kind === 'files' && isUsable(way));
  const byFiles = ways[files];
  if (byFiles !== undefined) {
    await summarize().catch((error: unknown) => {
      if (!(error instanceof PineError)) throw error;
      // Without the plan no file can be fetched.
      if (isOfFiles(error)) ways[files] = { ...byFiles, refusal: reasonOf(error) };
    });
  }
  ways.sort((a, b) => rank(a) - rank(b));
  return plan === undefined ? { ways } : { ways, plan };
}

/** The sizes that the deltas' signed headers say, or why one can't be used. */
async function looked(way: Way, found: New, options: PrepareOptions): Promise<Way> {
  if (!isUsable(way)) return way;
  try {
    let bytes = 0;
    for (const link of way.links) bytes += await measureDelta(found, link, options);
    return { ...way, bytes };
  } catch (error) {
    if (!isOfTheDelta(error)) throw error;
    // Of one that no list tells of nothing is known.
    const bytes = way.bytes === 0 ? undefined : way.bytes;
    return { ...way, bytes, refusal: reasonOf(error) };
  }
}

async function estimated(way: Way, estimate: () => Promise<number>): Promise<Way> {
  try {
    return { ...way, bytes: await estimate(), figure: 'estimated' };
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    return { ...way, refusal: reasonOf(error) };
  }
}

async function summarizeFiles(
  machine: Machine,
  { accepted, running }: New,
  { remote, note }: PrepareOptions,
): Promise<PlanSummary> {
  const open = async (commit: string, digest: typeof accepted.plan) =>
    (await openStoredPlan(machine.files, planFile(machine, commit), digest)) ??
    (await openPlanBytes(digest, remote.fetchPlan(commit, digest), `commit ${commit}`));
  const plan = await open(accepted.checksum, accepted.plan);
  try {
    if (running.plan === undefined) return await summarizePlan(plan.segments());
    return await summarizePlan(useRanges(plan, await open(running.checksum, running.plan)));
  } catch (error) {
    if (!(error instanceof PineError)) throw error;
    note(
      'the plan of the running slot is neither here nor on the remote: it is made by the upgrade',
    );
    return await summarizePlan(plan.segments());
  }
}
