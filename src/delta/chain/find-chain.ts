import { type DeltaIndex, type Link, longestChain } from './delta-index.ts';

/** The delta from one commit straight to the other. */
export function findDirect(index: DeltaIndex, from: string, to: string): Link | undefined {
  const source = index.sources.find(({ commit }) => commit === from);
  return source?.links.find((link) => link.to === to);
}

/** Two or more deltas that lead from one commit to the other in the fewest bytes. */
export function findChain(index: DeltaIndex, from: string, to: string): Link[] | undefined {
  // After each round, the cheapest way of exactly so many deltas from every commit.
  let round = new Map<string, readonly Link[]>([[to, []]]);
  let best: readonly Link[] | undefined;
  for (let length = 1; length <= longestChain; length++) {
    const longer = new Map<string, readonly Link[]>();
    for (const { commit, links } of index.sources) {
      for (const link of links) {
        const rest = round.get(link.to);
        if (rest === undefined) continue;
        const way = [link, ...rest];
        const known = longer.get(commit);
        if (known === undefined || bytesOf(way) < bytesOf(known)) longer.set(commit, way);
      }
    }
    round = longer;
    const found = length > 1 ? round.get(from) : undefined;
    if (found !== undefined && (best === undefined || bytesOf(found) < bytesOf(best))) best = found;
  }
  return best && [...best];
}

/** Bytes of the files of these deltas. */
export function bytesOf(links: readonly Link[]): number {
  return links.reduce((sum, { size }) => sum + size, 0);
}
