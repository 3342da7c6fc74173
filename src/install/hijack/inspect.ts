import type { Layout } from '../../disk/layout.ts';
import { PineError } from '../../error.ts';
import type { CommitFacts } from './commit-facts.ts';
import type { DiskPlan } from './disk-plan.ts';
import type { Host } from './host.ts';
import { judge, type Preflight } from './preflight.ts';
import { type HostFacts, surveyHost } from './survey.ts';
import type { OpenRemote, WantedCommit } from './wanted-commit.ts';

/** How a machine is to be taken over. */
export interface Wish {
  /** `undefined`: the machine is looked at without one. */
  readonly commit: WantedCommit | undefined;
  /** Those to choose from, the roomiest first. */
  readonly layouts: readonly Layout[];
  /** The disk, to be sure. */
  readonly disk?: string | undefined;
  /** The installer is entered by kexec. */
  readonly kexec: boolean;
}

/** A machine that was looked at, the commit that it is to run, and what both come to. */
export interface Inspection {
  readonly facts: HostFacts;
  readonly commit: CommitFacts | undefined;
  readonly preflight: Preflight;
  /** Looks and plans again, once the image is on the disk. Throws what then stands in the way. */
  planAgain(): Promise<DiskPlan>;
}

/** Looks whether a machine can be taken over, and how. Changes nothing. Throws what readCommitFacts throws. */
export async function inspect(host: Host, wish: Wish, openRemote: OpenRemote): Promise<Inspection> {
  const facts = await surveyHost(host);
  const commit =
    wish.commit === undefined ? undefined : await readCommit(wish.commit, facts, openRemote);
  const settings = { commit, layouts: wish.layouts, wantedDisk: wish.disk, kexec: wish.kexec };
  const judged = judge(facts, settings);
  const offRoad = await refuseRoad(host, facts, judged);
  return {
    ...{ facts, commit },
    preflight: { ...judged, refusals: [...judged.refusals, ...offRoad] },
    async planAgain() {
      return requirePlan(judge(await surveyHost(host), { ...settings, fetched: true }));
    },
  };
}

/** The plan of what nothing is in the way of; throws the first that is. */
export function requirePlan({ refusals: [first], disk }: Preflight): DiskPlan {
  if (first !== undefined) throw first;
  if (disk === undefined) throw new RangeError('no plan, and nothing in the way');
  return disk;
}

async function readCommit(
  { remote, ref, keys }: WantedCommit,
  { devices }: HostFacts,
  openRemote: OpenRemote,
): Promise<CommitFacts> {
  const { readCommitFacts } = await import('./commit-facts.ts');
  const repository = await openRemote(remote);
  try {
    return await readCommitFacts(repository, ref, keys, devices);
  } finally {
    await repository.close();
  }
}

/** What is not taken over yet, where nothing else is in the way. */
async function refuseRoad(
  host: Host,
  facts: HostFacts,
  { refusals, disk }: Preflight,
): Promise<PineError[]> {
  if (refusals.length > 0 || disk === undefined) return [];
  const { findRoad } = await import('./take-over/road.ts');
  try {
    await findRoad(host, facts, disk);
    return [];
  } catch (error) {
    if (error instanceof PineError) return [error];
    throw error;
  }
}
