import { createHash } from 'node:crypto';
import type { Commit } from './commit-object.ts';
import type { Repository } from './repository.ts';

/** One commit of a history. */
export interface HistoryEntry {
  readonly checksum: string;
  readonly commit: Commit;
}

/**
 * A commit and its parents, newest first. Ends with the first one, or where the repository's history
 * ends; it then says so by `missing`.
 */
export async function readHistory(
  repository: Repository,
  from: string,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ readonly entries: readonly HistoryEntry[]; readonly missing: string | undefined }> {
  const entries: HistoryEntry[] = [];
  let next: string | undefined = from;
  while (next !== undefined && entries.length < limit) {
    if (entries.length > 0 && !repository.has(next, 'commit')) return { entries, missing: next };
    const commit: Commit = await repository.readCommit(next);
    entries.push({ checksum: next, commit });
    next = commit.parent;
  }
  return { entries, missing: undefined };
}

/** What `ostree` calls the content checksum: the same for commits of the same tree. */
export function contentChecksum({ rootTree, rootMeta }: Commit): string {
  return createHash('sha256').update(rootTree, 'hex').update(rootMeta, 'hex').digest('hex');
}
