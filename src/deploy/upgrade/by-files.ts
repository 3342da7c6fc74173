import { type PlanSummary, summarizePlan, useRanges } from '../../plan/ranges.ts';
import type { Machine } from '../machine.ts';
import { openBasePlan } from './base-plan.ts';
import { openNewPlan } from './new-plan.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Survey } from './survey.ts';
import type { Work } from './work.ts';

type New = Extract<Survey, { kind: 'new' }>;
type Options = Pick<PrepareOptions, 'remote' | 'note'>;

/** Ranges of what runs, and files for the rest. Throws what `isOfFiles` knows, and what a remote throws. */
export async function recipeByFiles(
  machine: Machine,
  found: New,
  options: Options,
): Promise<Work['recipe']> {
  const plan = await openNewPlan(machine, found, options);
  const base = await openBasePlan(machine, found.running, options.note);
  return (slot) => ({
    base: slot,
    segments: base === undefined ? plan.segments() : useRanges(plan, base),
  });
}

/** What that would fetch and copy. */
export async function summarizeFiles(
  machine: Machine,
  found: New,
  options: Options,
): Promise<PlanSummary> {
  const plan = await openNewPlan(machine, found, options);
  const base = await openBasePlan(machine, found.running, options.note);
  return summarizePlan(base === undefined ? plan.segments() : useRanges(plan, base));
}
