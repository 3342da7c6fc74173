import { existsSync } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PineError } from '../error.ts';
import { readFileContent } from './file-object.ts';
import type { FsckProblem } from './fsck.ts';
import { lockForWriting } from './lock.ts';
import { decodeDirectoryTree } from './metadata-objects.ts';
import { markPartial, markWhole, partialReason } from './partial-commit.ts';
import type { Repository } from './repository.ts';

/** What became of damage that nothing could put right. */
export interface MarkedDamage {
  /** Damaged objects that were removed, as `CHECKSUM.kind`: a pull or a commit brings them again. */
  readonly dropped: readonly string[];
  /** Commits that lead to an object that is missing now. */
  readonly marked: readonly string[];
}

type TreeObjectKind = 'filez' | 'dirtree' | 'dirmeta';

/**
 * Marks all commits that lead to a missing or damaged object, as `ostree fsck` does, then removes the damaged ones, so
 * that `pull` fetches them and `commit` stores them again. Commits that were marked so and are whole again lose the mark.
 * Commit objects stay, however damaged: without them a prune would take all that they lead to.
 *
 * Throws STATE_LOCKED.
 */
export async function markDamage(
  repository: Repository,
  problems: readonly FsckProblem[],
): Promise<MarkedDamage> {
  const lock = await lockForWriting(repository, 'exclusive');
  try {
    const damage = new Damage(repository);
    for (const { kind, name } of problems) {
      if (kind === 'filez' || kind === 'dirtree' || kind === 'dirmeta')
        await damage.add(name, kind);
    }
    const marked: string[] = [];
    for await (const { checksum, kind } of repository.listObjects()) {
      if (kind !== 'commit' || partialReason(repository, checksum) === 'pull') continue;
      const isWhole = await damage.isWhole(checksum);
      if (isWhole === undefined) continue;
      if (isWhole) await markWhole(repository, checksum);
      else {
        // S6: the mark is durable before the first object goes.
        await markPartial(repository, checksum, 'fsck');
        marked.push(checksum);
      }
    }
    return { dropped: await damage.drop(), marked };
  } finally {
    await lock.release();
  }
}

class Damage {
  readonly #repository: Repository;
  readonly #objects = new Set<string>();
  /** Whether all that a dirtree leads to is there and right. */
  readonly #trees = new Map<string, boolean>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** Looks again, now that nobody else writes: it may have been put right meanwhile. */
  async add(name: string, kind: TreeObjectKind): Promise<void> {
    try {
      if (kind === 'filez') for await (const _ of readFileContent(this.#repository, name));
      else await this.#repository.readMetadataObject(name, kind);
    } catch (error) {
      if (!(error instanceof PineError)) throw error;
      this.#objects.add(`${name}.${kind}`);
    }
  }

  /** `undefined` for a commit that can't be read. */
  async isWhole(commit: string): Promise<boolean | undefined> {
    try {
      const { rootTree, rootMeta } = await this.#repository.readCommit(commit);
      return !this.#objects.has(`${rootMeta}.dirmeta`) && (await this.#isTreeWhole(rootTree));
    } catch (error) {
      if (error instanceof PineError) return undefined;
      throw error;
    }
  }

  async #isTreeWhole(tree: string): Promise<boolean> {
    const known = this.#trees.get(tree);
    if (known !== undefined) return known;
    const isWhole = !this.#objects.has(`${tree}.dirtree`) && (await this.#isBelowWhole(tree));
    this.#trees.set(tree, isWhole);
    return isWhole;
  }

  async #isBelowWhole(tree: string): Promise<boolean> {
    const bytes = await this.#repository.readMetadataObject(tree, 'dirtree');
    const where = this.#repository.objectFile(tree, 'dirtree');
    const { files, directories } = decodeDirectoryTree(bytes, where);
    if (files.some(({ checksum }) => this.#objects.has(`${checksum}.filez`))) return false;
    for (const directory of directories) {
      if (this.#objects.has(`${directory.meta}.dirmeta`)) return false;
      if (!(await this.#isTreeWhole(directory.tree))) return false;
    }
    return true;
  }

  async drop(): Promise<string[]> {
    const dropped: string[] = [];
    for (const name of this.#objects) {
      const [checksum = '', kind = ''] = name.split('.');
      const path = this.#repository.objectFile(checksum, kind as TreeObjectKind);
      if (!existsSync(path)) continue;
      await unlink(path);
      await this.#repository.durability.sync(dirname(path));
      dropped.push(name);
    }
    return dropped;
  }
}
