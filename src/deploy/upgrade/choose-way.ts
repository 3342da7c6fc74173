import { PineError } from '../../error.ts';
import { bytesReader } from '../../ports/positioned-reader.ts';
import type { Machine } from '../machine.ts';
import type { Origin } from '../origin/origin.ts';
import { openNewPlan } from './new-plan.ts';
import { obtainDeltas } from './obtain-deltas.ts';
import { reasonOf } from './reason.ts';
import type { Survey } from './survey.ts';
import { isOfTheDelta } from './way-errors.ts';
import { type SearchOptions, WaySearch } from './way-search.ts';
import { isUsable, type Way } from './ways.ts';
import type { Work } from './work.ts';

type New = Extract<Survey, { kind: 'new' }>;

/** The way that was chosen, and which one it came to be in the end. */
export interface ChosenWay
  extends Pick<Work, 'recipe' | 'recipeWithoutFiles' | 'segmentsWithoutBase'> {
  readonly wayTaken: (resumedAt: number) => Pick<Origin, 'way' | 'deltas' | 'resumedAt'>;
}

/**
 * Takes the way to the new image that fetches the fewest bytes; the next one when that turns out not to be there,
 * not to be right or to have no room. Of files that may show only while the slot is written.
 *
 * S5: whatever is wrong with a delta shows before the slot changes. Throws NOT_FOUND_WAY, or what is wrong with files.
 */
export async function chooseWay(
  machine: Machine,
  found: New,
  options: SearchOptions,
): Promise<ChosenWay> {
  const search = await WaySearch.begin(machine, found, options);
  const { recipe, origin } = await search.next();
  let taken: ChosenWay['wayTaken'] = (resumedAt) => ({ ...origin, resumedAt });
  return {
    recipe,
    wayTaken: (resumedAt) => taken(resumedAt),
    recipeWithoutFiles: async (error) => {
      if (origin.way !== 'files') throw error;
      await search.leave('files', error);
      const next = await search.next().catch((other: unknown) => {
        // What was wrong first counts, unless the remote is gone.
        throw other instanceof PineError && other.code === 'NOT_FOUND_WAY' ? error : other;
      });
      taken = () => ({ ...next.origin, resumedAt: 0 });
      return next.recipe;
    },
    segmentsWithoutBase: () =>
      fromNothing(machine, found, search.ways, options, (way) => {
        taken = () => ({ way, deltas: way === 'full' ? 1 : 0, resumedAt: 0 });
      }),
  };
}

/** The image without a byte of this machine: by a full delta if there is one, else by files. */
async function* fromNothing(
  machine: Machine,
  found: New,
  ways: readonly Way[],
  options: SearchOptions,
  tell: (way: 'full' | 'files') => void,
): ReturnType<Work['segmentsWithoutBase']> {
  const full = ways.find(({ kind }) => kind === 'full');
  let recipe: Work['recipe'] | undefined;
  if (full !== undefined && isUsable(full)) {
    try {
      recipe = await obtainDeltas(machine, found, full.links, options);
    } catch (error) {
      if (!isOfTheDelta(error)) throw error;
      options.note(`the full delta is not used: ${reasonOf(error)}`);
    }
  }
  tell(recipe === undefined ? 'files' : 'full');
  if (recipe === undefined) yield* (await openNewPlan(machine, found, options)).segments();
  else yield* recipe(bytesReader(new Uint8Array())).segments;
}
