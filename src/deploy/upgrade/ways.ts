import type { DeltaIndex, Link } from '../../delta/chain/delta-index.ts';
import { bytesOf, findChain, findDirect } from '../../delta/chain/find-chain.ts';
import { nothing } from '../../delta/delta-path.ts';
import type { PlanSummary } from '../../plan/ranges.ts';
import { reasonOf } from './reason.ts';
import { isOfFiles } from './way-errors.ts';

/** A way by which the new image can come to be. */
export interface Way {
  /** One delta, several, one that needs no other image, or ranges of what runs and files. */
  readonly kind: 'delta' | 'chain' | 'full' | 'files';
  /** Bytes to fetch; `undefined` when that is not known. */
  readonly bytes: number | undefined;
  /** Whether it is just as many, or what the remote's other files let expect, or no fewer. */
  readonly figure: 'exact' | 'estimated' | 'at least';
  /** The deltas to apply, in order. */
  readonly links: readonly Link[];
  /** Why it can't be taken. */
  readonly refusal?: string | undefined;
}

/** What is known of the deltas that lead to the new commit. */
export interface KnownDeltas extends DeltaIndex {
  /** Why there may be others; `undefined` when all are listed. */
  readonly doubt?: string | undefined;
}

/** What the comparison needs to know of the remote and the machine. */
export interface WayFacts {
  readonly index: KnownDeltas;
  /** Commits. */
  readonly from: string;
  readonly to: string;
  /** Bytes of the new plan. */
  readonly planSize: number;
  /** Bytes that deltas may take on the data partition. */
  readonly room: number;
  /** Deltas are read where they are: they take no room. */
  readonly inPlace: boolean;
  /** Why files can't be fetched, if that is so. */
  readonly noFiles: string | undefined;
  /** What is to be fetched without a delta, before compression. Costs the new plan: asked only when it matters. */
  readonly summarize: () => Promise<PlanSummary>;
}

/** Why a kind of way turned out not to be there, or not to be right. */
export type Failures = ReadonlyMap<Way['kind'], string>;

/** Every way to the new image, the cheapest that can be taken first, then those that can't. */
export async function compareWays(facts: WayFacts, failures: Failures = new Map()): Promise<Way[]> {
  const { index, from, to } = facts;
  const direct = findDirect(index, from, to);
  const chain = findChain(index, from, to);
  const full = findDirect(index, nothing, to);
  const deltas: Way[] = [
    wayBy('delta', direct && [direct], facts, 'none from what runs is listed'),
    wayBy('chain', chain, facts, 'none that lead here one after the other are listed'),
    wayBy('full', full && [full], facts, 'none is listed'),
  ].map((way) => ({ ...way, refusal: failures.get(way.kind) ?? way.refusal }));
  const [cheapest] = deltas.filter(isUsable).sort((a, b) => rank(a) - rank(b));
  const ways = [...deltas, await wayByFiles(facts, cheapest, failures.get('files'))];
  return ways.sort((a, b) => rank(a) - rank(b));
}

export function isUsable({ refusal }: Way): boolean {
  return refusal === undefined;
}

/** The order in which ways are taken: what is not known exactly is more than what it was compared with. */
export function rank(way: Way): number {
  if (!isUsable(way)) return Number.POSITIVE_INFINITY;
  return way.figure === 'at least' ? Number.MAX_VALUE : (way.bytes ?? Number.MAX_VALUE);
}

function wayBy(
  kind: Way['kind'],
  links: readonly Link[] | undefined,
  { index: { doubt }, room, inPlace }: WayFacts,
  why: string,
): Way {
  if (links === undefined) {
    const refusal = doubt === undefined ? why : `${why} (${doubt})`;
    return { kind, bytes: undefined, figure: 'exact', links: [], refusal };
  }
  const bytes = bytesOf(links);
  const made = links.slice(0, -1).reduce((sum, link) => sum + link.made, 0);
  const scratch = links.reduce((most, link) => Math.max(most, link.scratch), 0);
  // What all but the last one make is kept, and their files unless they are there.
  const needed = scratch + (inPlace ? made : bytes + made);
  const refusal =
    needed > room
      ? `the data partition has no room for it: it takes ${needed} bytes of ${Math.max(0, room)}`
      : undefined;
  return { kind, bytes, figure: 'exact', links, refusal };
}

async function wayByFiles(
  facts: WayFacts,
  other: Way | undefined,
  failure: string | undefined,
): Promise<Way> {
  const { index, from, planSize, noFiles } = facts;
  const refusal = failure ?? noFiles;
  const way = { kind: 'files', links: [], refusal } as const;
  if (refusal !== undefined) return { ...way, bytes: undefined, figure: 'exact' };
  const listed = index.sources.find(({ commit }) => commit === from)?.files;
  if (listed !== undefined) return { ...way, bytes: listed, figure: 'exact' };
  // A delta from what runs has all that changed, in fewer bytes than the files that did.
  const isMore = other?.kind === 'delta' || (other?.bytes ?? planSize) <= planSize;
  if (isMore) return { ...way, bytes: planSize, figure: 'at least' };
  try {
    const bytes = estimateFiles(facts, await facts.summarize());
    return { ...way, bytes, figure: 'estimated' };
  } catch (error) {
    // Without the new commit's plan no file can be fetched; where there are deltas that is no reason to end.
    if (!isOfFiles(error)) throw error;
    return { ...way, bytes: undefined, figure: 'estimated', refusal: reasonOf(error) };
  }
}

/** Files become as much smaller on the wire as all of the commit's do together, if that is known. */
export function estimateFiles({ index, planSize }: WayFacts, { bytes }: PlanSummary): number {
  const all = index.sources.find(({ commit }) => commit === nothing)?.files;
  const whole = bytes.object + bytes.range;
  const ratio = all === undefined || whole === 0 ? 1 : Math.min(1, (all - planSize) / whole);
  return planSize + Math.round(ratio * bytes.object);
}
