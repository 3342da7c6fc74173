import type { HistoryRepository, Revision } from './repository.ts';
import { branches } from './tip.ts';

/** What pruning has done. */
export interface Pruned {
  /** Revisions that no branch has any more. */
  readonly revisions: number;
  readonly objects: number;
}

/**
 * Keeps the newest `keep` revisions of each branch, and removes the objects that no kept one needs.
 *
 * Revisions keep their names: the oldest kept one is listed in git's `shallow` file, and counts as the first from
 * then on. That is durable before an object goes, so that a cut leaves objects too many and never one too few (S7).
 * Throws CORRUPT_ETC_HISTORY when something that is kept can't be read, before it removes anything.
 */
export async function prune(
  repository: HistoryRepository,
  { keep, verify }: { readonly keep: number; readonly verify: boolean },
): Promise<Pruned> {
  const needed = new Set<string>();
  const cuts = new Set<string>();
  const known = await repository.cuts();
  let revisions = 0;
  for (const branch of branches) {
    const tip = await repository.tip(branch);
    if (tip === undefined) continue;
    let count = 0;
    let oldest: Revision | undefined;
    for await (const revision of repository.history(tip)) {
      if (count === keep) {
        revisions += 1;
        continue;
      }
      count += 1;
      oldest = revision;
      needed.add(revision.id);
      await needTree(repository, revision.tree, needed);
    }
    const isFirst = oldest === undefined || (oldest.parent === undefined && !known.has(oldest.id));
    if (oldest !== undefined && !isFirst) cuts.add(oldest.id);
  }
  await checkBlobs(repository, needed, verify);
  await repository.cutAt(cuts); // S6: before the first object goes
  let objects = 0;
  for await (const id of repository.objects()) {
    if (needed.has(id)) continue;
    await repository.removeObject(id);
    objects += 1;
  }
  return { revisions, objects };
}

/** All that is needed is there; with `verify` every content is read too. Trees and revisions were read already. */
async function checkBlobs(
  repository: HistoryRepository,
  needed: ReadonlySet<string>,
  verify: boolean,
): Promise<void> {
  const loose = new Set<string>();
  for await (const id of repository.objects()) loose.add(id);
  // What is not there by itself may be in a pack: somebody ran `git gc`.
  for (const id of needed) if (verify || !loose.has(id)) await repository.check(id);
}

async function needTree(
  repository: HistoryRepository,
  tree: string,
  needed: Set<string>,
): Promise<void> {
  if (needed.has(tree)) return;
  needed.add(tree);
  for (const { id, mode } of await repository.readTree(tree)) {
    if (mode === '040000') await needTree(repository, id, needed);
    else needed.add(id);
  }
}
