import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { PineError } from '../error.ts';
import { forEachParallel } from '../parallel.ts';
import type { Progress } from '../ports/progress.ts';
import { ChecksumSet } from './checksum-set.ts';
import { checkFileObject } from './file-object.ts';
import { decodeDirectoryMetadata, decodeDirectoryTree } from './metadata-objects.ts';
import type { MetadataKind, ObjectKind } from './object-name.ts';
import { partialReason } from './partial-commit.ts';
import { promisedPlan } from './pine-metadata.ts';
import { listRefNames, readRef } from './refs.ts';
import { missingObject, type Repository } from './repository.ts';

/** Something that is not as it should be. */
export interface FsckProblem {
  /** The object, or the ref, that it is about. */
  readonly kind: ObjectKind | 'ref';
  /** A checksum (for a plan the commit's), or a ref's name. */
  readonly name: string;
  readonly error: PineError;
}

export interface FsckReport {
  readonly commits: number;
  /** Commits that were fetched in part only: their objects may be missing, and are not looked for. */
  readonly partial: number;
  /** Commits that an earlier fsck found damaged and marked. They are checked like all others. */
  readonly marked: number;
  /** Objects that were read and checked. */
  readonly objects: number;
  readonly problems: readonly FsckProblem[];
}

const parallelFiles = 4;

/**
 * Reads and checks every commit and all that it leads to. Bad objects are reported, not thrown. Memory:
 * some 100 bytes for an object (S9).
 */
export async function checkRepository(
  repository: Repository,
  progress: Progress = () => {},
): Promise<FsckReport> {
  const checker = new Checker(repository);
  await checker.refs();
  const commits: string[] = [];
  for await (const { checksum, kind } of repository.listObjects()) {
    if (kind === 'commit') commits.push(checksum);
  }
  for (const [index, commit] of commits.entries()) {
    await checker.commit(commit);
    progress(index + 1, commits.length, 'Checking commits', 'items');
  }
  await checker.contents(progress);
  return checker.report();
}

class Checker {
  readonly #repository: Repository;
  readonly #problems: FsckProblem[] = [];
  readonly #seen = {
    commit: new ChecksumSet(),
    dirtree: new ChecksumSet(),
    dirmeta: new ChecksumSet(),
    filez: new ChecksumSet(),
  };
  #commits = 0;
  #partial = 0;
  #marked = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  report(): FsckReport {
    const objects = Object.values(this.#seen).reduce((sum, { size }) => sum + size, 0);
    const problems = this.#problems;
    return {
      commits: this.#commits,
      partial: this.#partial,
      marked: this.#marked,
      objects,
      problems,
    };
  }

  async refs(): Promise<void> {
    for await (const name of listRefNames(this.#repository)) {
      await this.#attempt('ref', name, async () => {
        const checksum = await readRef(this.#repository, name);
        if (checksum === undefined || this.#repository.has(checksum, 'commit')) return;
        throw missingObject(this.#repository.objectFile(checksum, 'commit'));
      });
    }
  }

  async commit(checksum: string): Promise<void> {
    this.#commits += 1;
    const reason = partialReason(this.#repository, checksum);
    if (reason === 'fsck') this.#marked += 1;
    await this.#check('commit', checksum, async () => {
      const commit = await this.#repository.readCommit(checksum);
      await this.#repository.readDetachedMetadata(checksum);
      if (reason === 'pull') {
        this.#partial += 1;
        return;
      }
      await this.#directory(commit.rootTree, commit.rootMeta);
      await this.#attempt('plan', checksum, () => this.#plan(checksum));
    });
  }

  async contents(progress: Progress): Promise<void> {
    const { filez } = this.#seen;
    let done = 0;
    await forEachParallel(filez, parallelFiles, async (checksum) => {
      await this.#attempt('filez', checksum, () => checkFileObject(this.#repository, checksum));
      done += 1;
      progress(done, filez.size, 'Checking files', 'items');
    });
  }

  async #directory(tree: string, meta: string): Promise<void> {
    await this.#check('dirmeta', meta, async () => {
      const bytes = await this.#repository.readMetadataObject(meta, 'dirmeta');
      decodeDirectoryMetadata(bytes, this.#repository.objectFile(meta, 'dirmeta'));
    });
    // A tree that is met again is not walked again: no arrangement of few objects takes for ever.
    await this.#check('dirtree', tree, async () => {
      const bytes = await this.#repository.readMetadataObject(tree, 'dirtree');
      const where = this.#repository.objectFile(tree, 'dirtree');
      const { files, directories } = decodeDirectoryTree(bytes, where);
      for (const { checksum } of files) this.#seen.filez.add(checksum);
      for (const entry of directories) await this.#directory(entry.tree, entry.meta);
    });
  }

  async #plan(commit: string): Promise<void> {
    const promised = promisedPlan(await this.#repository.readCommit(commit));
    if (promised === undefined) return;
    const path = this.#repository.objectFile(commit, 'plan');
    if (!existsSync(path)) throw missingObject(path);
    const hash = createHash('sha256');
    for await (const piece of createReadStream(path)) hash.update(piece);
    const found = hash.digest('hex');
    if (found === promised.sha256) return;
    throw new PineError('CORRUPT_PLAN', 'a plan is not what its commit promises', {
      expected: `SHA-256 ${promised.sha256}`,
      found,
      where: path,
      remedy: 'make it again with `pinectl fsck --repair`',
    });
  }

  /** Checks an object once, whatever leads to it. */
  async #check(kind: MetadataKind, checksum: string, work: () => Promise<void>): Promise<void> {
    if (this.#seen[kind].add(checksum)) await this.#attempt(kind, checksum, work);
  }

  async #attempt(
    kind: FsckProblem['kind'],
    name: string,
    work: () => Promise<void>,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof PineError)) throw error;
      this.#problems.push({ kind, name, error });
    }
  }
}
