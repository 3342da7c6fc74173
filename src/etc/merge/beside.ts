import { besideSuffix } from '../path-kinds.ts';
import type { Sides } from '../trees/join.ts';
import type { EtcEntry } from '../walk.ts';
import { sameInside } from './decide.ts';

/** The names beside files in conflict, where the release's side of them is laid. */
export class Beside {
  readonly #sides: Sides;
  /** What lies there and is not copied: it is laid again, or no longer needed. */
  readonly #dropped = new Set<string>();

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  /** Whether an earlier merge laid this, and it goes with all below it. */
  isDropped(path: string): boolean {
    return this.#dropped.has(path);
  }

  /** What is here at a path. */
  async localAt(path: string): Promise<EtcEntry | undefined> {
    for await (const entry of this.#sides.local.walk(path)) return entry;
    return undefined;
  }

  /** What an earlier merge laid beside a path goes, unless somebody has changed it since: then it is theirs. */
  async drop(beside: string, path: string): Promise<void> {
    const sides = this.#sides;
    const laid = sides.base.walk(path)[Symbol.asyncIterator]();
    for await (const present of sides.local.walk(beside)) {
      const { value: shipped, done } = await laid.next();
      if (done || present.path.slice(beside.length) !== shipped.path.slice(path.length)) return;
      if (!(await sameInside(sides, 'base', shipped, 'local', present))) return;
    }
    if ((await laid.next()).done) this.#dropped.add(beside);
  }

  /** A name beside `path` that nothing here has. */
  async freeName(path: string): Promise<string> {
    for (let count = 0; ; count += 1) {
      const name = `${path}${besideSuffix}${count === 0 ? '' : `.${count}`}`;
      if (this.#dropped.has(name) || (await this.localAt(name)) === undefined) return name;
    }
  }
}
