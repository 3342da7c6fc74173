import type { PineError } from '../../error.ts';
import { removeDurably } from '../durable-file.ts';
import type { Machine } from '../machine.ts';
import type { Origin } from '../origin/origin.ts';
import { deltaFolder } from '../paths.ts';
import { recipeByFiles, summarizeFiles } from './by-files.ts';
import { unlistedFull } from './known-deltas.ts';
import { noWay, wayNames } from './no-way.ts';
import { obtainDeltas } from './obtain-deltas.ts';
import type { PrepareOptions } from './prepare.ts';
import { reasonOf } from './reason.ts';
import type { Survey } from './survey.ts';
import { isOfFiles, isOfTheDelta } from './way-errors.ts';
import { wayFacts } from './way-facts.ts';
import { compareWays, isUsable, type Way, type WayFacts } from './ways.ts';
import type { Work } from './work.ts';

type New = Extract<Survey, { kind: 'new' }>;

export interface SearchOptions
  extends Pick<PrepareOptions, 'keys' | 'remote' | 'note' | 'progress'> {
  /** Bytes of the data partition that are for other things. */
  readonly kept: number;
}

/** A way whose deltas are here and checked, or whose plan is. */
export interface OpenWay extends Pick<Work, 'recipe'> {
  readonly origin: Pick<Origin, 'way' | 'deltas'>;
}

/** The ways to the new image, one after the other: what turns out not to be there or not to be right is left. */
export class WaySearch {
  readonly #machine: Machine;
  readonly #found: New;
  readonly #options: SearchOptions;
  readonly #facts: WayFacts;
  readonly #failures = new Map<Way['kind'], string>();
  /** As they were compared last. */
  ways: readonly Way[] = [];

  private constructor(machine: Machine, found: New, options: SearchOptions, facts: WayFacts) {
    this.#machine = machine;
    this.#found = found;
    this.#options = options;
    this.#facts = facts;
  }

  /** Asks for the list of deltas. */
  static async begin(machine: Machine, found: New, options: SearchOptions): Promise<WaySearch> {
    const summarize = () => summarizeFiles(machine, found, options);
    const facts = await wayFacts(machine, found, options, { kept: options.kept, summarize });
    return new WaySearch(machine, found, options, facts);
  }

  /**
   * Opens the one of the fewest bytes that is left and can be had. When there is none, throws what was wrong with files, or
   * NOT_FOUND_WAY.
   */
  async next(): Promise<OpenWay> {
    for (let ofFiles: PineError | undefined; ; ) {
      const way = await this.#cheapest();
      if (way === undefined) throw ofFiles ?? this.#noWay();
      const { kind, links } = way;
      try {
        return { recipe: await this.#open(way), origin: { way: kind, deltas: links.length } };
      } catch (error) {
        if (kind === 'files') {
          if (!isOfFiles(error)) throw error;
          ofFiles = error;
          await this.leave(kind, error);
        } else {
          if (!isOfTheDelta(error)) throw error;
          // Of one that nobody told of it is nothing new that it is not there.
          const isGuess = way.bytes === 0 && error.code === 'NOT_FOUND_REMOTE_FILE';
          await this.leave(kind, error, isGuess);
        }
      }
    }
  }

  /** It is not used any more, and the user is told why. */
  async leave(kind: Way['kind'], error: PineError, isQuiet = false): Promise<void> {
    const why = reasonOf(error);
    if (!isQuiet) this.#tell(kind, why);
    this.#failures.set(kind, why);
    if (kind !== 'files') await removeDurably(this.#machine.files, deltaFolder(this.#machine));
  }

  async #cheapest(): Promise<Way | undefined> {
    const isFirst = this.ways.length === 0;
    this.ways = await compareWays(this.#facts, this.#failures);
    if (isFirst) {
      for (const { kind, links, refusal } of this.ways) {
        if (refusal !== undefined && links.length > 0) this.#tell(kind, refusal);
      }
    }
    const { index, to } = this.#facts;
    return this.ways.find(isUsable) ?? unlistedFull(index, to, this.#failures);
  }

  #open({ kind, links }: Way): Promise<Work['recipe']> {
    const options = this.#options;
    return kind === 'files'
      ? recipeByFiles(this.#machine, this.#found, options)
      : obtainDeltas(this.#machine, this.#found, links, options);
  }

  #tell(kind: Way['kind'], why: string): void {
    this.#options.note(`${wayNames[kind]} not used: ${why}`);
  }

  #noWay(): PineError {
    return noWay(this.#found, this.#options.remote, this.#facts.index, this.#failures);
  }
}
