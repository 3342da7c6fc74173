import { listRefs } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { nothing } from './delta-path.ts';
import { listDeltas, type StoredDelta } from './store.ts';

/**
 * The deltas that lead to no commit that a ref names, neither straight nor as one of at most `depth` after each
 * other, or to one that is not there.
 */
export async function findUnneededDeltas(
  repository: Repository,
  depth: number,
): Promise<StoredDelta[]> {
  const deltas = (await listDeltas(repository)).filter(({ to }) => repository.has(to, 'commit'));
  const needed = new Set<StoredDelta>();
  const refs = new Set((await listRefs(repository)).values());
  let round: ReadonlySet<string> = refs;
  for (let length = 1; length <= depth; length++) {
    const next = new Set<string>();
    for (const delta of deltas) {
      // What needs no other image is only of use for the commit itself.
      const isFull = delta.from === nothing;
      if (!round.has(delta.to) || (isFull && !refs.has(delta.to))) continue;
      needed.add(delta);
      next.add(delta.from);
    }
    round = next;
  }
  const names = new Set([...needed].map(({ from, to }) => `${from}..${to}`));
  return (await listDeltas(repository)).filter(({ from, to }) => !names.has(`${from}..${to}`));
}
