import type { Conflict } from '../conflicts.ts';
import { isMarked, type Marks } from '../marks.ts';
import { pathKind } from '../path-kinds.ts';
import { type Joined, joinTrees, type Sides } from '../trees/join.ts';
import type { EtcEntry } from '../walk.ts';
import { Beside } from './beside.ts';
import { isMixed, withComparableBase, withoutBase } from './comparable.ts';
import { decide, type Refused, sameEntry } from './decide.ts';
import { type Clash, type Decision, type Placed, placeEntry, type Source } from './decision.ts';
import { mergeKeyFiles } from './key-files.ts';
import { Parents } from './parents.ts';

/** Where a merged tree goes: a folder comes before what is in it. */
export interface EtcSink {
  place(placed: Placed, sides: Sides): Promise<void>;
}

export interface MergeOptions {
  readonly sides: Sides;
  /** False where the old release's side is lost: then `sides.base` is not looked at, and what is here stays. */
  readonly baseIsKnown?: boolean;
  readonly marks: Marks;
  /** What was in conflict before this merge and is not settled. */
  readonly previous: readonly Conflict[];
  /** Absent when it is only to be seen what would be. */
  readonly sink?: EtcSink;
  readonly note: (text: string) => void;
}

/** What a merge came to. */
export interface MergeReport {
  /** By path. */
  readonly conflicts: readonly Conflict[];
  /** Files and links that came from the new release, or from both sides. */
  readonly fromRelease: number;
  readonly merged: number;
}

/**
 * Merges the /etc of a machine three ways: what the old release shipped, what the new one does, what is here. The
 * sides are only read. What can't be merged stays as it is here (S8), with the release's side beside it, and is told.
 */
export async function mergeEtc(options: MergeOptions): Promise<MergeReport> {
  return new EtcMerge(options).run();
}

class EtcMerge {
  readonly #options: MergeOptions;
  readonly #conflicts: Conflict[] = [];
  readonly #refused: Refused = new Map();
  readonly #parents: Parents;
  readonly #beside: Beside;
  #fromRelease = 0;
  #merged = 0;

  constructor(options: MergeOptions) {
    this.#options = options;
    this.#beside = new Beside(options.sides);
    this.#parents = new Parents((placed) => this.#place(placed));
  }

  async run(): Promise<MergeReport> {
    const { sides } = this.#options;
    const keys: Joined[] = [];
    let unit: string | undefined;
    for await (const found of joinTrees(sides)) {
      const joined = this.#options.baseIsKnown === false ? withoutBase(found) : found;
      const { path } = joined;
      if (unit !== undefined && path.startsWith(`${unit}/`)) continue;
      unit = undefined;
      if (this.#beside.isDropped(path)) unit = path;
      else if (pathKind(path) === 'trust') keys.push(joined);
      else if (await this.#handle(joined)) unit = path;
    }
    await this.#mergeKeys(keys);
    const byPath = (a: Conflict, b: Conflict) => (a.path < b.path ? -1 : 1);
    const conflicts = this.#conflicts.sort(byPath);
    return { conflicts, fromRelease: this.#fromRelease, merged: this.#merged };
  }

  /** Decides about one path and places the result. Returns true when that covers everything below it too. */
  async #handle(joined: Joined): Promise<boolean> {
    const { path, local } = joined;
    if (local?.kind === 'special') {
      this.#options.note(`${path} is neither a file, a folder nor a link: it is left out`);
      return this.#handle({ ...joined, local: undefined });
    }
    if (isMarked(this.#options.marks, path)) {
      await this.#settle(joined, { placed: placeEntry(local, 'local') });
      return false;
    }
    if (isMixed(joined)) {
      await this.#handleUnit(joined);
      return true;
    }
    const comparable = withComparableBase(joined);
    try {
      await this.#settle(comparable, await this.#decide(comparable));
    } catch (error) {
      // It went while it was merged: as if it had never been there.
      const went = local !== undefined && isMissing(error) && !(await this.#beside.localAt(path));
      if (!went) throw error;
      return this.#handle({ ...joined, local: undefined });
    }
    return false;
  }

  async #decide(joined: Joined): Promise<Decision> {
    const { sides } = this.#options;
    const { path, next, local } = joined;
    const before = await this.#unsettled(path);
    const wholeAgain = before && before.reason !== 'attributes' && before.reason !== 'accounts';
    if (before === undefined) return decide(sides, joined, pathKind(path), this.#refused);
    const agree =
      next === undefined || local === undefined
        ? next === local
        : await sameEntry(sides, 'next', next, 'local', local);
    const mine: Decision = { placed: placeEntry(local, 'local') };
    if (agree) return mine;
    if (wholeAgain) return { ...mine, clash: before };
    const decided = await decide(sides, joined, pathKind(path), this.#refused);
    return { ...decided, clash: decided.clash ?? before };
  }

  /** The conflict that a path is in since an earlier merge. Whoever removed the release's side has settled it. */
  async #unsettled(path: string): Promise<Conflict | undefined> {
    const conflict = this.#options.previous.find((other) => other.path === path);
    if (conflict?.reason === 'keys') return undefined; // told with the keys
    if (conflict?.beside === undefined) return conflict;
    return (await this.#beside.localAt(conflict.beside)) === undefined ? undefined : conflict;
  }

  /** Places what was decided, and what the release has beside it when that is a conflict. */
  async #settle(joined: Joined, { placed, clash }: Decision): Promise<void> {
    const { path, base, next, local } = joined;
    this.#parents.pass(placed, next ?? local ?? base);
    const previous = this.#options.previous.find((other) => other.path === path);
    if (previous?.beside !== undefined) await this.#beside.drop(previous.beside, path);
    if (placed !== undefined) await this.#put(placed);
    if (clash === undefined) return;
    const shown = next !== undefined && clash.reason !== 'attributes' ? next : undefined;
    const beside = shown && (await this.#beside.freeName(path));
    if (shown !== undefined && beside !== undefined) await this.#layBeside(shown, beside);
    this.#tell(path, clash, next, beside);
  }

  /** A folder on one side, and something else on another: all below it is decided as one. */
  async #handleUnit(joined: Joined): Promise<void> {
    const { path, base, next, local } = joined;
    const { sides } = this.#options;
    const same = async (a: 'base' | 'next', b: 'local' | 'next') => {
      if (joined[a] === undefined || joined[b] === undefined) return joined[a] === joined[b];
      for await (const below of joinTrees({ ...sides, base: sides[a], next: sides[b] }, path)) {
        const [one, other] = [below.base, below.next];
        if (one === undefined || other === undefined) {
          if (one !== other) return false;
        } else if (!(await sameEntry(sides, a, one, b, other))) return false;
      }
      return true;
    };
    this.#parents.pass(undefined, next ?? local ?? base);
    const before = await this.#unsettled(path);
    if (before?.beside !== undefined) await this.#beside.drop(before.beside, path);
    if (before === undefined && (await same('base', 'local'))) {
      await this.#copyTree('next', path, path);
      return;
    }
    await this.#copyTree('local', path, path);
    if (isQuiet(path) || (await same('next', 'local'))) return;
    if (before === undefined && (await same('base', 'next'))) return;
    const beside = next && (await this.#beside.freeName(path));
    if (next !== undefined && beside !== undefined) await this.#layBeside(next, beside);
    const detail = 'a folder on one side, and something else on the other';
    this.#tell(path, { reason: 'kind', detail }, next, beside);
  }

  async #copyTree(from: Source, path: string, to: string): Promise<void> {
    for await (const entry of this.#options.sides[from].walk(path)) {
      const placed = placeEntry(entry, from);
      if (placed !== undefined)
        await this.#put({ ...placed, path: to + entry.path.slice(path.length) });
    }
  }

  async #mergeKeys(keys: readonly Joined[]): Promise<void> {
    const { placed, clash } = await mergeKeyFiles(this.#options.sides, keys);
    for (const file of placed) await this.#put(file);
    const before = this.#options.previous.find(({ reason }) => reason === 'keys');
    const told = clash ?? before;
    if (told !== undefined) this.#tell('pine/keys', told, undefined, undefined);
  }

  /** Lays the release's side beside the local one. It must not run: OpenRC and run-parts would take it for another service. */
  async #layBeside(entry: EtcEntry, path: string): Promise<void> {
    const placed = placeEntry(entry, 'next');
    if (placed?.kind === 'file') await this.#put({ ...placed, path, mode: placed.mode & 0o666 });
    else await this.#copyTree('next', entry.path, path);
  }

  async #put(placed: Placed): Promise<void> {
    await this.#parents.make(placed.path);
    await this.#place(placed);
    if (placed.kind !== 'file') return;
    if (placed.content.from === 'next') this.#fromRelease += 1;
    if (placed.content.from === 'both') this.#merged += 1;
  }

  async #place(placed: Placed): Promise<void> {
    await this.#options.sink?.place(placed, this.#options.sides);
  }

  #tell(path: string, clash: Clash, next: EtcEntry | undefined, beside: string | undefined): void {
    const { reason, detail } = clash;
    this.#conflicts.push({
      path,
      reason,
      detail,
      ...(beside !== undefined && { beside }),
      ...(next !== undefined && { release: { mode: next.mode, uid: next.uid, gid: next.gid } }),
    });
  }
}

function isQuiet(path: string): boolean {
  return ['volatile', 'machine'].includes(pathKind(path));
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
