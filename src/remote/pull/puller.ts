import { createHash } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import { forEachParallel } from '../../parallel.ts';
import { type Commit, decodeCommit } from '../../repo/commit-object.ts';
import { decodeDetachedMetadata } from '../../repo/detached-metadata.ts';
import { isPartial, markPartial, markWhole } from '../../repo/partial-commit.ts';
import { promisedPlan } from '../../repo/pine-metadata.ts';
import type { Repository } from '../../repo/repository.ts';
import type { Transaction } from '../../repo/transaction.ts';
import { authenticate } from '../../trust/authenticate.ts';
import type { RemoteRepository } from '../remote-repository.ts';
import type { PullOptions, PullResult } from './pull.ts';
import { type ReceivedDeltas, receiveDeltas } from './receive-deltas.ts';
import { partPrefix, receiveFileObject } from './receive-file-object.ts';
import { parallelRequests, receiveTree } from './receive-tree.ts';

/** So much is fetched between two times that it is made durable: what a kill costs at most. */
const batchBytes = 64 * 1024 * 1024;

/** Brings commits of one remote in one transaction, and counts what came. */
export class Puller {
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
    if (keys !== undefined)
      await authenticate({ checksum, commit, detachedMetadata, keys, keysAre: 'given' });
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
      }).catch(async (error: unknown) => {
        // S7: the next pull need not fetch again what came. If it can't be kept, that is not what was wrong first.
        await this.#transaction.publish().catch(() => {});
        throw error;
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

function wrongCommit(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', 'a commit is not what its name says', {
    expected: `SHA-256 ${expected}`,
    found,
    where,
    remedy: 'run `pinectl fsck` on the repository it comes from',
  });
}
