import { createHash } from 'node:crypto';
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import { forEachParallel } from '../../parallel.ts';
import type { ByteSource } from '../../ports/byte-source.ts';
import type { Progress } from '../../ports/progress.ts';
import { type Commit, decodeCommit } from '../../repo/commit-object.ts';
import { decodeDetachedMetadata } from '../../repo/detached-metadata.ts';
import { isChecksum } from '../../repo/object-name.ts';
import { isPartial, markPartial, markWhole } from '../../repo/partial-commit.ts';
import { promisedPlan } from '../../repo/pine-metadata.ts';
import type { Repository } from '../../repo/repository.ts';
import { Transaction } from '../../repo/transaction.ts';
import { authenticate } from '../../trust/authenticate.ts';
import type { PublicKey } from '../../trust/keys.ts';
import { RemoteRepository } from '../remote-repository.ts';
import { mirrorSummary } from './mirror-summary.ts';
import { type ReceivedDeltas, receiveDeltas } from './receive-deltas.ts';
import { partPrefix, receiveFileObject } from './receive-file-object.ts';
import { parallelRequests, receiveTree } from './receive-tree.ts';
import { listRemoteRefs } from './remote-refs.ts';

/** So much is fetched between two times that it is made durable: what a kill costs at most. */
const batchBytes = 64 * 1024 * 1024;

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

class Puller {
  readonly #remote: RemoteRepository;
  readonly #transaction: Transaction;
  readonly #options: PullOptions;
  readonly #refs: Record<string, string> = {};
  readonly #commits: string[] = [];
  readonly #visited = new Set<string>();
  #deltas: ReceivedDeltas = { deltas: 0, bytes: 0, refused: [] };
  #objects = 0;
  #bytes = 0;
  #unpublished = 0;

  constructor(remote: RemoteRepository, transaction: Transaction, options: PullOptions) {
    this.#remote = remote;
    this.#transaction = transaction;
    this.#options = options;
  }

  result(): PullResult {
    return {
      refs: this.#refs,
      commits: this.#commits,
      objects: this.#objects,
      deltas: this.#deltas.deltas,
      bytes: this.#bytes + this.#deltas.bytes,
      refused: this.#deltas.refused,
    };
  }

  setRef(name: string, checksum: string): void {
    const { remoteName } = this.#options;
    const ref = remoteName === undefined ? name : `${remoteName}:${name}`;
    this.#transaction.setRef(ref, checksum);
    this.#refs[ref] = checksum;
  }

  /** A commit, and as many of its parents as were asked for and the remote has. */
  async history(newest: string): Promise<void> {
    const { depth } = this.#options;
    let next = (await this.#commit(newest)).parent;
    for (let age = 1; next !== undefined && (depth < 0 || age <= depth); age += 1) {
      const commit: string = next;
      try {
        next = (await this.#commit(commit)).parent;
      } catch (error) {
        // Where the remote's own history was pruned, ours ends too.
        const ends = error instanceof PineError && error.code === 'NOT_FOUND_REMOTE_OBJECT';
        if (!ends || this.#transaction.has(commit, 'commit')) throw error;
        return;
      }
    }
  }

  /** The deltas that lead to the commits, if they are wanted. */
  async deltas(): Promise<void> {
    const { deltas = false, keys, progress = () => {} } = this.#options;
    if (!deltas) return;
    const { repository } = this.#transaction;
    const commits = [...this.#visited];
    this.#deltas = await receiveDeltas(this.#remote, repository, commits, { keys, progress });
  }

  async #commit(checksum: string): Promise<Commit> {
    this.#visited.add(checksum);
    const { repository } = this.#transaction;
    const present = await isWhole(repository, checksum);
    // Signatures may have been added since; all else can't have changed.
    const { object, detachedMetadata } = await this.#fetchCommit(checksum, present);
    if (detachedMetadata !== undefined) {
      this.#transaction.addBeside(checksum, 'commitmeta', [detachedMetadata]);
    }
    const commit = decodeCommit(object, `${this.#remote.name}, ${checksum}.commit`);
    if (!present) await this.#whole(checksum, commit, object);
    // Stock tools bring everything but the plan.
    else await this.#plan(checksum, commit);
    return commit;
  }

  async #fetchCommit(checksum: string, present: boolean) {
    const { keys } = this.#options;
    const fetched = await this.#remote.fetchCommit(checksum).catch((error: unknown) => {
      const missing = error instanceof PineError && error.code === 'NOT_FOUND_REMOTE_OBJECT';
      if (missing && present) return undefined;
      throw error;
    });
    if (fetched === undefined) {
      const { repository } = this.#transaction;
      const object = await repository.readMetadataObject(checksum, 'commit');
      return { object, detachedMetadata: undefined };
    }
    const { commit, detachedMetadata } = fetched;
    const where = `${this.#remote.name}, ${checksum}.commit`;
    // S5: signature first when there is one to check, then the checksum, then what it says.
    if (keys !== undefined) await authenticate({ checksum, commit, detachedMetadata, keys });
    const found = createHash('sha256').update(commit).digest('hex');
    if (found !== checksum) throw wrongCommit(checksum, found, where);
    if (detachedMetadata !== undefined) decodeDetachedMetadata(detachedMetadata, where);
    return { object: commit, detachedMetadata };
  }

  /** Everything that a commit leads to. */
  async #whole(checksum: string, commit: Commit, object: Uint8Array): Promise<void> {
    const { repository } = this.#transaction;
    await markPartial(repository, checksum);
    await writeFile(this.#transaction.claimAnyway(checksum, 'commit'), object);
    const tree = await receiveTree(this.#remote, this.#transaction, commit);
    this.#bytes += tree.bytes;
    await this.#transaction.publish();
    await this.#files(tree.files);
    await this.#transaction.publish();
    await this.#plan(checksum, commit);
    await this.#transaction.publish();
    // S6: all that it leads to has its name.
    await markWhole(repository, checksum);
    this.#commits.push(checksum);
  }

  async #files(files: ReadonlySet<string>): Promise<void> {
    const { progress = () => {} } = this.#options;
    const missing = [...files].filter((file) => !this.#transaction.has(file, 'filez'));
    let done = 0;
    while (done < missing.length) {
      // A batch ends for all together: no object is written while others get their names.
      const batch = function* (from: number, isFull: () => boolean) {
        for (let at = from; at < missing.length && !isFull(); at += 1) yield missing[at] ?? '';
      };
      const isFull = () => this.#unpublished >= batchBytes;
      await forEachParallel(batch(done, isFull), parallelRequests, async (file) => {
        const bytes = await receiveFileObject(this.#remote, this.#transaction, file);
        this.#bytes += bytes;
        this.#unpublished += bytes;
        this.#objects += 1;
        done += 1;
        progress(done, missing.length, 'Pulling objects', 'items');
      });
      await this.#transaction.publish();
      this.#unpublished = 0;
    }
  }

  /** The plan as the remote has it, or made again when it does not have the right one. */
  async #plan(checksum: string, commit: Commit): Promise<void> {
    const { repository } = this.#transaction;
    const promised = promisedPlan(commit);
    if (promised === undefined || repository.has(checksum, 'plan')) return;
    const part = join(repository.path, 'tmp', `${partPrefix}${checksum}.plan`);
    try {
      // Not into memory: its size is what an unsigned commit says (S9).
      await writeFile(part, this.#remote.fetchPlan(checksum, promised));
    } catch (error) {
      if (!(error instanceof PineError) || !/^(NOT_FOUND|CORRUPT)_/.test(error.code)) throw error;
      const plan = await this.#options.makePlan(repository, checksum);
      this.#transaction.addBeside(checksum, 'plan', plan);
      return;
    }
    await rename(part, this.#transaction.claimAnyway(checksum, 'plan'));
  }
}

/** Whether a commit is there with all that it leads to, as far as it says. A damaged one is not: it is replaced. */
async function isWhole(repository: Repository, checksum: string): Promise<boolean> {
  if (!repository.has(checksum, 'commit') || isPartial(repository, checksum)) return false;
  try {
    await repository.readMetadataObject(checksum, 'commit');
    return true;
  } catch (error) {
    if (error instanceof PineError && error.code === 'CORRUPT_OBJECT') return false;
    throw error;
  }
}

/** What earlier pulls left of objects that came another way by now. */
async function removeParts(repository: Repository): Promise<void> {
  const folder = join(repository.path, 'tmp');
  for (const name of await readdir(folder)) {
    if (name.startsWith(partPrefix)) await rm(join(folder, name), { force: true });
  }
}

function wrongCommit(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', 'a commit is not what its name says', {
    expected: `SHA-256 ${expected}`,
    found,
    where,
    remedy: 'run `pinectl fsck` on the repository it comes from',
  });
}
