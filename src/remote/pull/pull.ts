import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Progress } from '../../ports/progress.ts';
import { isChecksum } from '../../repo/object-name.ts';
import type { Repository } from '../../repo/repository.ts';
import { Transaction } from '../../repo/transaction.ts';
import type { PublicKey } from '../../trust/keys.ts';
import { RemoteRepository } from '../remote-repository.ts';
import { mirrorSummary } from './mirror-summary.ts';
import { Puller } from './puller.ts';
import type { ReceivedDeltas } from './receive-deltas.ts';
import { partPrefix } from './receive-file-object.ts';
import { listRemoteRefs } from './remote-refs.ts';

export interface PullOptions {
  /** Refs or checksums; all refs when there are none. */
  readonly names: readonly string[];
  /** Refs get this name before theirs (`origin:alpine/web`); `undefined`: they keep their name. */
  readonly remoteName: string | undefined;
  /** How many parents of each commit come too; -1 for all that the remote has. */
  readonly depth: number;
  /** Whether the deltas that lead to the commits come too, so that machines can be served from here. */
  readonly deltas?: boolean;
  /** Only commits and deltas that one of these signed are taken; `undefined`: any. */
  readonly keys?: readonly PublicKey[];
  /** Makes a commit's plan from its objects: for remotes that lost it. */
  readonly makePlan: (repository: Repository, commit: string) => Promise<Iterable<Uint8Array>>;
  readonly progress?: Progress;
}

export interface PullResult {
  /** The refs that were set, and their commits. */
  readonly refs: Readonly<Record<string, string>>;
  /** Commits that came, or that were there in part. */
  readonly commits: readonly string[];
  readonly objects: number;
  readonly deltas: number;
  /** Bytes of the objects and deltas fetched. */
  readonly bytes: number;
  /** Deltas that are not what they should be: the remote's machines don't take them either. */
  readonly refused: ReceivedDeltas['refused'];
}

/**
 * Brings commits with all that they lead to from a remote into a repository. Every object is checked
 * before it gets its name, refs come last, and what is cut goes on where it stopped when it is run
 * again (S7).
 */
export async function pull(
  repository: Repository,
  source: ByteSource,
  options: PullOptions,
): Promise<PullResult> {
  const remote = new RemoteRepository(source);
  await remote.checkMode();
  const names = options.names.length > 0 ? options.names : await listRemoteRefs(remote, source);
  const transaction = await Transaction.begin(repository);
  try {
    const puller = new Puller(remote, transaction, options);
    for (const name of names) {
      const checksum = isChecksum(name) ? name : await remote.resolveRef(name);
      await puller.history(checksum);
      if (!isChecksum(name)) puller.setRef(name, checksum);
    }
    // A machine that sees the new ref finds its deltas.
    await puller.deltas();
    await transaction.commit();
    await removeParts(repository);
    const result = puller.result();
    const isMirror = options.remoteName === undefined && options.names.length === 0;
    if (isMirror) await mirrorSummary(remote, repository, result.refs);
    return result;
  } finally {
    await transaction.close();
  }
}

/** What earlier pulls left of objects that came another way by now. */
async function removeParts(repository: Repository): Promise<void> {
  const folder = join(repository.path, 'tmp');
  for (const name of await readdir(folder)) {
    if (name.startsWith(partPrefix)) await rm(join(folder, name), { force: true });
  }
}
