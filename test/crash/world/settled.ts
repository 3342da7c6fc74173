import { keepAll } from './loss.ts';
import { makeReleases, type Releases } from './releases.ts';
import { afterCut, makeWorld, type World } from './world.ts';

/** A machine at rest: v1 runs from slot a, v0 is confirmed in slot b, and v2 is what comes next. */
export interface Settled {
  readonly releases: Releases;
  readonly base: World;
  /** The same machine once more, for one test. */
  readonly fresh: () => World;
}

/** Makes one for the tests of a file. */
export async function settledMachine(): Promise<Settled> {
  const releases = await makeReleases();
  const base = await makeWorld({ a: releases.v1, b: releases.v0, order: [1, 2] });
  return { releases, base, fresh: () => afterCut(base, keepAll) };
}
