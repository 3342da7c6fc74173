import type { FileSystem } from '../../ports/file-system.ts';
import type { EtcTree } from '../trees/tree.ts';
import { walkEtc } from '../walk.ts';
import type { Origin } from './message.ts';
import type { HistoryRepository } from './repository.ts';
import { type SnapshotOptions, writeSnapshot } from './snapshot.ts';
import { cacheKey, type StatCache, stampOf } from './stat-cache.ts';
import type { Branch } from './tip.ts';
import { judgeEntries } from './withheld.ts';

/** What is recorded, and why. */
export interface Recording {
  readonly branch: Branch;
  /** One line. */
  readonly subject: string;
  readonly origin: Origin;
  /** Seconds since 1970. */
  readonly time: number;
}

/** What recording has found. */
export interface Recorded {
  /** The new revision; `undefined` when there was nothing new. */
  readonly revision: string | undefined;
  readonly paths: StatCache['paths'];
}

/**
 * Whether a folder shows by nothing that it was changed since the cache was written: all paths are there, no others,
 * and each has its stamp. Reads no contents, and does without isomorphic-git.
 */
export async function isUnchanged(
  files: FileSystem,
  folder: string,
  { paths }: StatCache,
): Promise<boolean> {
  let seen = 0;
  for await (const { entry } of judgeEntries(walkEtc(files, folder))) {
    if (paths.get(cacheKey(entry.path))?.stamp !== stampOf(entry)) return false;
    seen += 1;
  }
  return seen === paths.size;
}

/**
 * Records a tree on a branch, if it differs from what was recorded last, or `always`. With `known`, only files that show
 * a change are read. Nothing is durable before the repository's `publish`.
 */
export async function recordTree(
  repository: HistoryRepository,
  tree: EtcTree,
  recording: Recording,
  options: SnapshotOptions & { readonly always?: boolean },
): Promise<Recorded> {
  const made = await writeSnapshot(repository, tree, options);
  const tip = options.always ? undefined : await repository.tip(recording.branch);
  if (tip !== undefined && (await repository.revision(tip)).tree === made.tree) {
    return { revision: undefined, paths: made.paths };
  }
  const revision = await repository.commit(recording.branch, { tree: made.tree, ...recording });
  return { revision, paths: made.paths };
}
