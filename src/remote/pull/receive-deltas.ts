import { type DeltaIndex, decodeIndex, type Link } from '../../delta/chain/delta-index.ts';
import { renewIndexes } from '../../delta/renew-indexes.ts';
import { type ErrorCode, PineError } from '../../error.ts';
import type { Progress } from '../../ports/progress.ts';
import type { Repository } from '../../repo/repository.ts';
import type { PublicKey } from '../../trust/keys.ts';
import type { RemoteRepository } from '../remote-repository.ts';
import { receiveDelta } from './receive-delta.ts';

/** What came of the deltas that lead to some commits. */
export interface ReceivedDeltas {
  /** Deltas that were fetched, and their bytes. */
  readonly deltas: number;
  readonly bytes: number;
  /** What was not taken, and why: machines get on without. */
  readonly refused: readonly { readonly what: string; readonly error: PineError }[];
}

/** What is wrong with a delta, and not with the pull. */
const ofTheDelta: readonly ErrorCode[] = [
  'NOT_FOUND_REMOTE_FILE',
  'CORRUPT_DELTA',
  'CORRUPT_DELTA_INDEX',
  'CORRUPT_TOO_LARGE',
  'TRUST_NO_SIGNATURE',
  'TRUST_UNKNOWN_KEY',
];

/**
 * Brings the deltas that a remote's indexes tell of, and writes indexes of those that are here. Whoever calls this
 * holds the repository's lock. Throws SPACE_REPOSITORY, REMOTE_….
 */
export async function receiveDeltas(
  remote: RemoteRepository,
  repository: Repository,
  commits: readonly string[],
  {
    keys,
    progress,
  }: { readonly keys: readonly PublicKey[] | undefined; readonly progress: Progress },
): Promise<ReceivedDeltas> {
  const refused: { what: string; error: PineError }[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof PineError) || !ofTheDelta.includes(error.code)) throw error;
      refused.push({ what, error });
      return undefined;
    }
  };

  const indexes = new Map<string, DeltaIndex>();
  const links = new Map<string, Link>();
  for (const commit of commits) {
    const index = await attempt(`deltas to ${commit}`, () => fetchIndex(remote, commit));
    if (index === undefined) continue;
    indexes.set(commit, index);
    // The deltas of a chain are in the indexes of all commits that it leads to.
    for (const link of index.sources.flatMap((source) => source.links)) {
      links.set(`${link.from}..${link.to}`, link);
    }
  }
  if (links.size === 0) return { deltas: 0, bytes: 0, refused };

  let [deltas, bytes, done] = [0, 0, 0];
  for (const [name, { from, to }] of links) {
    const size = await attempt(name, () => receiveDelta(remote, repository, { from, to, keys }));
    done += 1;
    progress(done, links.size, 'Pulling deltas', 'items');
    if (size === undefined || size === 0) continue;
    deltas += 1;
    bytes += size;
  }
  await renewIndexes(repository, indexes);
  return { deltas, bytes, refused };
}

async function fetchIndex(
  remote: RemoteRepository,
  commit: string,
): Promise<DeltaIndex | undefined> {
  const bytes = await remote.fetchDeltaIndex(commit);
  if (bytes === undefined) return undefined;
  return decodeIndex(bytes.toString(), commit, `${remote.name}, deltas to ${commit}`);
}
