import type { PlanSummary } from '../../plan/ranges.ts';
import type { Machine } from '../machine.ts';
import { deltaFolder } from '../paths.ts';
import { readKnownDeltas } from './known-deltas.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Survey } from './survey.ts';
import type { WayFacts } from './ways.ts';

/** What is known of the ways before anything is fetched but the list of deltas. */
export async function wayFacts(
  machine: Machine,
  found: Extract<Survey, { kind: 'new' }>,
  options: Pick<PrepareOptions, 'remote' | 'note'>,
  { kept, summarize }: { readonly kept: number; readonly summarize: () => Promise<PlanSummary> },
): Promise<WayFacts> {
  const { running, accepted } = found;
  const ends = { from: running.checksum, to: accepted.checksum };
  const index = await readKnownDeltas(found, options);
  const { files, data } = machine;
  // What an earlier run fetched is used, or removed.
  let room = (await files.freeBytes(data)) - kept;
  for (const name of (await files.readFolder(deltaFolder(machine))) ?? []) {
    room += (await files.status(`${deltaFolder(machine)}/${name}`))?.size ?? 0;
  }
  const { noFiles, openDelta } = options.remote;
  const inPlace = openDelta !== undefined;
  return { ...ends, index, room, inPlace, noFiles, summarize, planSize: accepted.plan.size };
}
