import { opendir, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../ports/progress.ts';
import { ChecksumSet } from './checksum-set.ts';
import { commitsOfDeltas } from './delta-ends.ts';
import { lockForWriting } from './lock.ts';
import { decodeDirectoryTree } from './metadata-objects.ts';
import { isChecksum } from './object-name.ts';
import { isPartial, markWhole } from './partial-commit.ts';
import { listRefs } from './refs.ts';
import type { Repository } from './repository.ts';
import { emptyTemporary } from './temporary.ts';

export interface PruneOptions {
  /** Commits stay only when a ref or a delta leads to them, or by `keepSince`; otherwise all stay. */
  readonly refsOnly: boolean;
  /** How many parents of a ref's commit stay; -1 for all. */
  readonly depth: number;
  /** Commits made at this time or later stay, whatever leads to them. Seconds since 1970. */
  readonly keepSince?: number;
  /** Only finds out what would go. */
  readonly dryRun?: boolean;
  readonly progress?: Progress;
}

export interface PruneResult {
  /** All objects that are named by a checksum, and those of them that went. */
  readonly total: number;
  readonly removed: number;
  /** Commits that went. */
  readonly commits: readonly string[];
  /** Bytes that became free. */
  readonly bytes: number;
}

/**
 * Removes objects that nothing needs: no ref, no delta, none of what the options keep; and what was left unfinished. A commit's
 * plan and detached metadata go with it. Nobody else writes meanwhile, the stock `ostree` neither. Memory: some 100 bytes for an
 * object that stays, none for one that goes (S9).
 *
 * Throws STATE_LOCKED; and CORRUPT_… or NOT_FOUND_OBJECT, with nothing removed, when a commit that stays
 * is not whole: what it needs can't be told then.
 */
export async function prune(repository: Repository, options: PruneOptions): Promise<PruneResult> {
  // Who only looks may look at what is read-only.
  const lock = options.dryRun ? undefined : await lockForWriting(repository, 'exclusive');
  try {
    if (lock !== undefined) await emptyTemporary(repository);
    const { kept, commits } = await commitsToKeep(repository, options);
    const needed = new Needed(repository, (done) =>
      options.progress?.(done, commits, 'Reading what stays', 'items'),
    );
    for (const [commit, age] of kept) await needed.addCommit(commit, age);
    const sweep = new Sweep(repository, needed.objects, options.dryRun ?? false);
    await sweep.commits();
    await sweep.objects(options.progress ?? (() => {}));
    return sweep.result();
  } finally {
    await lock?.release();
  }
}

/** The commits that stay by themselves, and how many of their parents with them (-1: all); and how many there are. */
async function commitsToKeep(
  repository: Repository,
  { refsOnly, depth, keepSince }: PruneOptions,
): Promise<{ kept: [commit: string, depth: number][]; commits: number }> {
  let commits = 0;
  const kept: [string, number][] = [];
  for (const [, commit] of await listRefs(repository)) {
    if (repository.has(commit, 'commit')) kept.push([commit, depth]);
  }
  for (const commit of await commitsOfDeltas(repository)) {
    if (repository.has(commit, 'commit')) kept.push([commit, 0]);
  }
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind !== 'commit') continue;
    commits += 1;
    const isYoung =
      keepSince !== undefined && (await repository.readCommit(checksum)).timestamp >= keepSince;
    if (!refsOnly || isYoung) kept.push([checksum, 0]);
  }
  return { kept, commits };
}

/** Names that lead to the same object differ by their kind: one set for each. */
type Objects = Readonly<Record<'commit' | 'dirtree' | 'dirmeta' | 'filez', ChecksumSet>>;

/** Everything that commits lead to. */
class Needed {
  readonly objects: Objects = {
    commit: new ChecksumSet(),
    dirtree: new ChecksumSet(),
    dirmeta: new ChecksumSet(),
    filez: new ChecksumSet(),
  };
  readonly #repository: Repository;
  readonly #progress: (commits: number) => void;
  /** How far the parents of a commit were followed. */
  readonly #depths = new Map<string, number>();

  constructor(repository: Repository, progress: (commits: number) => void) {
    this.#repository = repository;
    this.#progress = progress;
  }

  async addCommit(newest: string, depth: number): Promise<void> {
    let left = depth < 0 ? Number.POSITIVE_INFINITY : depth;
    for (let next: string | undefined = newest; next !== undefined; left -= 1) {
      if (left < 0 || (this.#depths.get(next) ?? -1) >= left) return;
      if (!this.#repository.has(next, 'commit')) return;
      this.#depths.set(next, left);
      const commit = await this.#repository.readCommit(next);
      if (this.objects.commit.add(next)) {
        const partial = isPartial(this.#repository, next);
        await this.#addTree(commit.rootTree, commit.rootMeta, partial);
        this.#progress(this.objects.commit.size);
      }
      next = commit.parent;
    }
  }

  async #addTree(root: string, meta: string, partial: boolean): Promise<void> {
    this.objects.dirmeta.add(meta);
    const pending = [root];
    for (let tree = pending.pop(); tree !== undefined; tree = pending.pop()) {
      if (this.objects.dirtree.has(tree)) continue;
      // What a pull has not brought yet leads to nothing that is here.
      if (partial && !this.#repository.has(tree, 'dirtree')) continue;
      const bytes = await this.#repository.readMetadataObject(tree, 'dirtree');
      const where = this.#repository.objectFile(tree, 'dirtree');
      const { files, directories } = decodeDirectoryTree(bytes, where);
      this.objects.dirtree.add(tree);
      for (const { checksum } of files) this.objects.filez.add(checksum);
      for (const directory of directories) {
        this.objects.dirmeta.add(directory.meta);
        pending.push(directory.tree);
      }
    }
  }
}

/** Removes what is not needed. Commits go first, so that none is left without its objects (S7). */
class Sweep {
  readonly #repository: Repository;
  readonly #needed: Objects;
  readonly #dryRun: boolean;
  readonly #commits: string[] = [];
  #total = 0;
  #removed = 0;
  #bytes = 0;

  constructor(repository: Repository, needed: Objects, dryRun: boolean) {
    this.#repository = repository;
    this.#needed = needed;
    this.#dryRun = dryRun;
  }

  result(): PruneResult {
    const { size } = this.#needed.commit;
    const commits = this.#commits;
    return {
      total: this.#total + size + commits.length,
      removed: this.#removed + commits.length,
      commits,
      bytes: this.#bytes,
    };
  }

  async commits(): Promise<void> {
    for await (const { checksum, kind } of this.#repository.listObjects()) {
      if (kind !== 'commit' || this.#needed.commit.has(checksum)) continue;
      this.#commits.push(checksum);
      await this.#remove(this.#repository.objectFile(checksum, kind));
    }
    if (this.#dryRun || this.#commits.length === 0) return;
    // S6: no commit comes back after a power cut, when its objects are gone.
    await this.#repository.durability.syncAll(this.#repository.path);
    for (const commit of this.#commits) await markWhole(this.#repository, commit);
  }

  async objects(progress: Progress): Promise<void> {
    const objects = join(this.#repository.path, 'objects');
    const folders = (await readdir(objects)).filter((name) => /^[0-9a-f]{2}$/.test(name));
    for (const [index, folder] of folders.entries()) {
      for await (const { name } of await opendir(join(objects, folder))) {
        const [rest = '', kind = ''] = name.split('.');
        await this.#object(folder + rest, kind, join(objects, folder, name));
      }
      progress(index + 1, folders.length, 'Pruning', 'items');
    }
  }

  async #object(checksum: string, kind: string, path: string): Promise<void> {
    if (!isChecksum(checksum)) return;
    if (kind === 'commitmeta' || kind === 'plan') {
      // They go with their commit, also when that went earlier.
      if (!this.#needed.commit.has(checksum)) await this.#remove(path);
    } else if (kind === 'dirtree' || kind === 'dirmeta' || kind === 'filez') {
      this.#total += 1;
      if (this.#needed[kind].has(checksum)) return;
      this.#removed += 1;
      await this.#remove(path);
    }
  }

  async #remove(path: string): Promise<void> {
    this.#bytes += (await stat(path)).size;
    if (!this.#dryRun) await unlink(path);
  }
}
