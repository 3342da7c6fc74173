import { nothing } from '../../delta/delta-path.ts';
import { PineError } from '../../error.ts';
import { type PlanSummary, summarizePlan, useRanges } from '../../plan/ranges.ts';
import { bytesReader } from '../../ports/positioned-reader.ts';
import { removeDurably } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import type { Origin } from '../origin/origin.ts';
import { deltaFolder } from '../paths.ts';
import { openBasePlan } from './base-plan.ts';
import { openNewPlan } from './new-plan.ts';
import { isOfTheDelta, obtainDeltas } from './obtain-deltas.ts';
import type { PrepareOptions } from './prepare.ts';
import type { Survey } from './survey.ts';
import {
  compareWays,
  type Failures,
  isUsable,
  readDeltaIndex,
  type Way,
  type WayFacts,
} from './ways.ts';
import type { Work } from './work.ts';

type New = Extract<Survey, { kind: 'new' }>;
type Options = Pick<PrepareOptions, 'keys' | 'remote' | 'note' | 'progress'>;

/** The way that was chosen, and which one it came to be in the end. */
export interface ChosenWay extends Pick<Work, 'recipe' | 'segmentsWithoutBase'> {
  readonly wayTaken: (resumedAt: number) => Pick<Origin, 'way' | 'deltas' | 'resumedAt'>;
}

/**
 * Takes the way to the new image that fetches the fewest bytes; the next one when that turns out not to be there,
 * not to be right or to have no room. `kept` bytes of the data partition are for other things.
 *
 * S5: whatever is wrong with a delta shows before the slot changes. Throws NOT_FOUND_WAY.
 */
export async function chooseWay(
  machine: Machine,
  found: New,
  options: Options,
  kept: number,
): Promise<ChosenWay> {
  const summarize = () => summarizeFiles(machine, found, options);
  const facts = await wayFacts(machine, found, options, { kept, summarize });
  const failures = new Map<Way['kind'], string>();
  const tell = (kind: Way['kind'], why: string) => options.note(`${names[kind]} not used: ${why}`);
  for (;;) {
    const ways = await compareWays(facts, failures);
    const [way] = ways;
    if (failures.size === 0) {
      for (const { kind, links, refusal } of ways) {
        if (refusal !== undefined && links.length > 0) tell(kind, refusal);
      }
    }
    if (way === undefined || !isUsable(way)) throw noWay(found, facts, failures);
    const { kind, links } = way;
    let wayTaken: ChosenWay['wayTaken'] = (resumedAt) => {
      return { way: kind, deltas: links.length, resumedAt };
    };
    const rest = {
      wayTaken: (resumedAt: number) => wayTaken(resumedAt),
      segmentsWithoutBase: () =>
        fromNothing(machine, found, ways, { ...options, kept }, (by) => {
          wayTaken = () => ({ way: by, deltas: by === 'full' ? 1 : 0, resumedAt: 0 });
        }),
    };
    if (way.kind === 'files') return { ...(await byFiles(machine, found, options)), ...rest };
    try {
      const recipe = await obtainDeltas(machine, found, way.links, { ...options, kept });
      return { recipe, ...rest };
    } catch (error) {
      if (!isOfTheDelta(error)) throw error;
      const why = `${error.message} (${error.details.found})`;
      const isGuess = way.bytes === 0 && error.code === 'NOT_FOUND_REMOTE_FILE';
      if (!isGuess) tell(way.kind, why);
      failures.set(way.kind, why);
      await removeDurably(machine.files, deltaFolder(machine));
    }
  }
}

const names = {
  delta: 'the delta is',
  chain: 'the chain of deltas is',
  full: 'the full delta is',
  files: 'files are',
};

/** What is known of the ways before anything is fetched but the list of deltas. */
export async function wayFacts(
  machine: Machine,
  found: New,
  options: Options,
  { kept, summarize }: { readonly kept: number } & Pick<WayFacts, 'summarize'>,
): Promise<WayFacts> {
  const { running, accepted } = found;
  const ends = { from: running.checksum, to: accepted.checksum };
  const index = await readDeltaIndex(found, options);
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

/** Ranges of what runs, and files for the rest. */
async function byFiles(
  machine: Machine,
  found: New,
  options: Options,
): Promise<Pick<Work, 'recipe'>> {
  const plan = await openNewPlan(machine, found, options);
  const base = await openBasePlan(machine, found.running, options.note);
  return {
    recipe: (slot) => ({
      base: slot,
      segments: base === undefined ? plan.segments() : useRanges(plan, base),
    }),
  };
}

async function summarizeFiles(
  machine: Machine,
  found: New,
  options: Options,
): Promise<PlanSummary> {
  const plan = await openNewPlan(machine, found, options);
  const base = await openBasePlan(machine, found.running, options.note);
  return summarizePlan(base === undefined ? plan.segments() : useRanges(plan, base));
}

/** The image without a byte of this machine: by a full delta if that is less than all files, or they are not to be had. */
async function* fromNothing(
  machine: Machine,
  found: New,
  ways: readonly Way[],
  options: Options & { readonly kept: number },
  tell: (way: 'full' | 'files') => void,
): ReturnType<Work['segmentsWithoutBase']> {
  const full = ways.find(({ kind }) => kind === 'full');
  let recipe: Work['recipe'] | undefined;
  if (full !== undefined && isUsable(full)) {
    try {
      recipe = await obtainDeltas(machine, found, full.links, options);
    } catch (error) {
      if (!isOfTheDelta(error)) throw error;
      options.note(`the full delta is not used: ${error.message} (${error.details.found})`);
    }
  }
  tell(recipe === undefined ? 'files' : 'full');
  if (recipe === undefined) yield* (await openNewPlan(machine, found, options)).segments();
  else yield* recipe(bytesReader(new Uint8Array())).segments;
}

function noWay({ running, accepted }: New, { index }: WayFacts, failures: Failures): PineError {
  const known = index.sources.map(({ commit }) => (commit === nothing ? 'nothing' : commit));
  const listed = known.length === 0 ? 'none of them' : `deltas from ${known.join(', ')}`;
  const failed = [...failures].map(([kind, why]) => `${names[kind]} no use: ${why}`);
  return new PineError('NOT_FOUND_WAY', 'nothing leads from what runs to the new image', {
    expected: `a delta from ${running.checksum} to ${accepted.checksum}, a full one, or files`,
    found: failed.length === 0 ? listed : failed.join('; '),
    where: 'the remote or bundle',
    remedy: 'copy or make it again, with that delta or a full one: pinectl bundle create',
  });
}
