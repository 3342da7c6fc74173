import { type BigIntStats, existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { PromiseFsClient, WalkerEntry } from 'isomorphic-git';
import { blobChecksum } from './git-blob.ts';
import { gitFileSystem } from './git-file-system.ts';
import { type GitFolders, gitFoldersOf } from './git-folders.ts';

/** So many names are looked at, and so many bytes of files hashed, before it is given up. */
const mostNames = 500_000;
const mostBytes = 1024 * 1024 * 1024;
/** Submodules inside of submodules. */
const deepest = 16;

/** What `git status` would name first; `undefined` when there is nothing to name. */
export type Difference = { readonly path: string; readonly what: string };

type Git = typeof import('isomorphic-git').default;
type Type = Awaited<ReturnType<WalkerEntry['type']>>;

/** What all submodules draw on together. */
interface Budget {
  names: number;
  bytes: number;
}

/**
 * Looks for the first thing that is not as a revision has it: changed, staged, missing, or new and
 * not ignored; submodules too. Nothing is written, and contents are hashed as they stream by.
 *
 * Throws an Error when it can't be told: what isomorphic-git does not read, or more than the bounds.
 */
export async function findDifference(
  git: Git,
  folders: GitFolders,
  revision: string,
  budget: Budget = { names: mostNames, bytes: mostBytes },
  depth = 0,
): Promise<Difference | undefined> {
  if (depth > deepest) throw new Error('submodules are nested too deeply');
  const search = new Search(git, folders, budget, depth);
  return search.run(revision);
}

class Search {
  readonly #git: Git;
  readonly #folders: GitFolders;
  readonly #fs: PromiseFsClient;
  readonly #budget: Budget;
  readonly #depth: number;
  #trustsMode = true;
  #isSparse = false;
  /** When the index was written: a file as young may have changed since without showing it. */
  #indexTime = 0n;
  #found: Difference | undefined;

  constructor(git: Git, folders: GitFolders, budget: Budget, depth: number) {
    this.#git = git;
    this.#folders = folders;
    this.#fs = gitFileSystem(folders);
    this.#budget = budget;
    this.#depth = depth;
  }

  async run(revision: string): Promise<Difference | undefined> {
    const { workTree: dir, gitFolder: gitdir } = this.#folders;
    const mode = await this.#git.getConfig({ fs: this.#fs, gitdir, path: 'core.filemode' });
    this.#trustsMode = String(mode) !== 'false';
    this.#isSparse = existsSync(join(gitdir, 'info/sparse-checkout'));
    const index = lstatSync(join(gitdir, 'index'), { bigint: true, throwIfNoEntry: false });
    this.#indexTime = index?.mtimeNs ?? 0n;
    await this.#git.walk({
      fs: this.#fs,
      dir,
      gitdir,
      trees: [this.#git.TREE({ ref: revision }), this.#git.WORKDIR(), this.#git.STAGE()],
      map: async (path, [tree = null, work = null, stage = null]) =>
        (await this.#visit(path, tree, work, stage)) ? undefined : null,
      // One after the other, and none after the first difference: memory does not follow the tree (S9).
      iterate: async (walk, children) => {
        for (const child of children) {
          if (this.#found !== undefined) break;
          await walk(child);
        }
        return [];
      },
    });
    return this.#found;
  }

  /** Looks at one path; says whether to go into it. */
  async #visit(
    path: string,
    tree: WalkerEntry | null,
    work: WalkerEntry | null,
    stage: WalkerEntry | null,
  ): Promise<boolean> {
    if (path === '.') return true;
    if (path === '.git' || path.endsWith('/.git')) return false;
    this.#budget.names -= 1;
    if (this.#budget.names < 0) throw new Error(`the work tree has over ${mostNames} names`);
    const [inTree, inWork, inStage] = await Promise.all([
      tree?.type(),
      work?.type(),
      stage?.type(),
    ]);
    if (inTree === undefined && inStage === undefined) return this.#untracked(path, inWork);
    if (inTree === 'tree' && inStage === 'tree') {
      if (inWork === 'tree' || inWork === undefined) return true;
      return this.#differs(path, 'no longer a folder');
    }
    if (inTree !== inStage || (await tree?.oid()) !== (await stage?.oid())) {
      return this.#differs(path, 'staged');
    }
    if (stage === null) return true;
    if ((await tree?.mode()) !== (await stage.mode())) return this.#differs(path, 'staged');
    return inStage === 'commit'
      ? this.#submodule(path, await stage.oid(), inWork)
      : this.#tracked(path, stage);
  }

  async #untracked(path: string, type: Type | undefined): Promise<boolean> {
    if (type === undefined || type === 'special') return false;
    const { workTree: dir, gitFolder: gitdir } = this.#folders;
    // A slash at the end says that it is a folder: for patterns that end in one.
    const filepath = type === 'tree' ? `${path}/` : path;
    if (await this.#git.isIgnored({ fs: this.#fs, dir, gitdir, filepath })) return false;
    // Git knows no empty folders: it is what is in them that is new.
    return type === 'tree' || this.#differs(path, 'untracked');
  }

  async #tracked(path: string, stage: WalkerEntry): Promise<boolean> {
    const absolute = join(this.#folders.workTree, path);
    const status = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) {
      if (this.#isSparse) throw new Error('a sparse checkout: what is missing may be missing');
      return this.#differs(path, 'deleted');
    }
    if (gitMode(status, this.#trustsMode) !== gitMode(await stage.mode(), this.#trustsMode)) {
      return this.#differs(path, 'another type or mode');
    }
    const isYoung = status.mtimeNs >= this.#indexTime;
    if (!isYoung && isSameFile(status, await stage.stat())) return false;
    this.#budget.bytes -= Number(status.size);
    if (this.#budget.bytes < 0) throw new Error(`over ${mostBytes} bytes would have to be hashed`);
    if ((await blobChecksum(absolute, status)) === (await stage.oid())) return false;
    return this.#differs(path, 'changed');
  }

  async #submodule(path: string, commit: string, type: Type | undefined): Promise<boolean> {
    if (type !== 'tree') return this.#differs(path, 'deleted');
    const folders = gitFoldersOf(join(this.#folders.workTree, path));
    // An empty folder is a submodule that nobody fetched.
    if (folders === undefined) return false;
    const fs = gitFileSystem(folders);
    const head = await this.#git.resolveRef({ fs, gitdir: folders.gitFolder, ref: 'HEAD' });
    if (head !== commit) return this.#differs(path, 'another commit of a submodule');
    const depth = this.#depth + 1;
    const found = await findDifference(this.#git, folders, head, this.#budget, depth);
    return found === undefined ? false : this.#differs(`${path}/${found.path}`, found.what);
  }

  #differs(path: string, what: string): false {
    this.#found ??= { path, what };
    return false;
  }
}

/** A file's mode as git keeps it; executable files pass for others where that is not to be trusted. */
function gitMode(status: BigIntStats | number, trustsMode: boolean): string {
  const mode = typeof status === 'number' ? status : Number(status.mode);
  const type = mode & 0o170000;
  return type === 0o100000 && trustsMode ? `file ${mode & 0o100}` : `${type}`;
}

/** Whether a file is the one that the index saw: then git does not read it either. */
function isSameFile(now: BigIntStats, then: Awaited<ReturnType<WalkerEntry['stat']>>): boolean {
  const low = (value: bigint): number => Number(value & 0xffff_ffffn);
  const nanoseconds = (time: bigint): number => Number(time % 1_000_000_000n);
  return (
    low(now.size) === then.size &&
    low(now.ino) === then.ino &&
    low(now.uid) === then.uid &&
    low(now.gid) === then.gid &&
    low(now.mtimeNs / 1_000_000_000n) === then.mtimeSeconds &&
    nanoseconds(now.mtimeNs) === then.mtimeNanoseconds &&
    low(now.ctimeNs / 1_000_000_000n) === then.ctimeSeconds &&
    nanoseconds(now.ctimeNs) === then.ctimeNanoseconds
  );
}
