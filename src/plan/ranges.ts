import type { Plan } from './open-plan.ts';
import type { Segment } from './segment.ts';

/**
 * The plan of an upgrade without a delta: each object that the old image has becomes a range of it.
 * Ranges that lie one behind the other in both images are merged.
 */
export async function* useRanges(newPlan: Plan, oldPlan: Plan): AsyncIterable<Segment> {
  let pending: { kind: 'range'; offset: number; length: number } | undefined;
  for await (const segment of newPlan.segments()) {
    const found = segment.kind === 'object' ? await oldPlan.find(segment.checksum) : undefined;
    if (found !== undefined && found.length === segment.length) {
      if (pending !== undefined && pending.offset + pending.length === found.offset) {
        pending.length += found.length;
        continue;
      }
      if (pending !== undefined) yield pending;
      pending = { kind: 'range', ...found };
    } else {
      if (pending !== undefined) yield pending;
      pending = undefined;
      yield segment;
    }
  }
  if (pending !== undefined) yield pending;
}

/** Where the bytes of an image will come from. */
export interface PlanSummary {
  /** By kind of segment. */
  readonly bytes: Readonly<Record<Segment['kind'], number>>;
  /** Objects to fetch. */
  readonly objects: number;
}

/** Counts what a plan takes, before it is executed. */
export async function summarizePlan(
  segments: Iterable<Segment> | AsyncIterable<Segment>,
): Promise<PlanSummary> {
  const bytes = { zeros: 0, literal: 0, range: 0, object: 0 };
  let objects = 0;
  for await (const { kind, length } of segments) {
    bytes[kind] += length;
    if (kind === 'object') objects++;
  }
  return { bytes, objects };
}
