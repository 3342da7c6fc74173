import { dirname } from 'node:path/posix';
import git from 'isomorphic-git';
import { replaceFile } from '../../deploy/durable-file.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { damaged, readingGit } from './damaged.ts';
import { GitFileSystem } from './git-file-system.ts';
import { readObject, writeObject } from './git-objects.ts';
import { formatMessage, type Origin, parseMessage } from './message.ts';
import { type Branch, readTip } from './tip.ts';

/** A recorded /etc. */
export interface Revision {
  /** SHA-1 of the git commit, 40 hex digits. */
  readonly id: string;
  readonly tree: string;
  readonly parent: string | undefined;
  /** Seconds since 1970. */
  readonly time: number;
  /** One line: why it was recorded. */
  readonly subject: string;
  readonly origin: Origin;
}

export interface GitEntry {
  readonly name: string;
  readonly mode: '100644' | '100755' | '120000' | '040000';
  readonly id: string;
}

const author = 'pine <pine@localhost>';

/**
 * A bare git repository that holds /etc trees, as any git reads it. Its folder is readable by root only.
 * Every method that reads throws CORRUPT_ETC_HISTORY for what is damaged.
 */
export class HistoryRepository {
  readonly folder: string;
  readonly #files: FileSystem;
  readonly #git: { readonly fs: GitFileSystem; readonly gitdir: string };
  /** What branches are to name once all of it is durable. */
  readonly #tips = new Map<Branch, string>();

  private constructor(files: FileSystem, folder: string) {
    this.folder = folder;
    this.#files = files;
    this.#git = { fs: new GitFileSystem(files, folder), gitdir: folder };
  }

  /** Opens the repository; `undefined` when there is none. */
  static async open(files: FileSystem, folder: string): Promise<HistoryRepository | undefined> {
    const status = await files.status(folder);
    return status && new HistoryRepository(files, folder);
  }

  /** Makes an empty repository, whole or not at all. */
  static async create(files: FileSystem, folder: string): Promise<HistoryRepository> {
    const made = `${folder}.new`;
    await files.remove(made);
    await files.makeFolder(made, 0o700);
    const fs = new GitFileSystem(files, made);
    await git.init({ fs, gitdir: made, dir: made, bare: true, defaultBranch: 'machine' });
    await files.syncAll(made); // S6
    await files.rename(made, folder);
    await files.sync(dirname(folder));
    return new HistoryRepository(files, folder);
  }

  writeBlob(blob: Uint8Array): Promise<string> {
    return writeObject(this.#git.fs, 'blob', blob);
  }

  writeTree(entries: readonly GitEntry[]): Promise<string> {
    // git's own order: a folder as if its name ended in a slash.
    const key = ({ name, mode }: GitEntry) => Buffer.from(mode === '040000' ? `${name}/` : name);
    const sorted = entries.map((entry) => ({ entry, key: key(entry) }));
    sorted.sort((a, b) => Buffer.compare(a.key, b.key));
    const parts = sorted.flatMap(({ entry: { name, mode, id } }) => [
      Buffer.from(`${mode.replace(/^0/, '')} ${name}\0`),
      Buffer.from(id, 'hex'),
    ]);
    return writeObject(this.#git.fs, 'tree', Buffer.concat(parts));
  }

  /** Makes a revision, which a branch names after `publish`. */
  async commit(
    branch: Branch,
    { tree, time, subject, origin }: Pick<Revision, 'tree' | 'time' | 'subject' | 'origin'>,
  ): Promise<string> {
    const parent = await this.tip(branch);
    const lines = [
      `tree ${tree}`,
      ...(parent === undefined ? [] : [`parent ${parent}`]),
      `author ${author} ${time} +0000`,
      `committer ${author} ${time} +0000`,
      '',
      formatMessage(subject, origin),
    ];
    const id = await writeObject(this.#git.fs, 'commit', Buffer.from(lines.join('\n')));
    this.#tips.set(branch, id);
    return id;
  }

  /** Makes what was written durable, and then lets the branches name it (S6). */
  async publish(): Promise<void> {
    await this.#git.fs.settle();
    for (const [branch, id] of this.#tips) {
      await git.writeRef({ ...this.#git, ref: `refs/heads/${branch}`, value: id, force: true });
      this.#tips.delete(branch);
    }
  }

  /** The newest revision of a branch; `undefined` when it has none. */
  async tip(branch: Branch): Promise<string | undefined> {
    return this.#tips.get(branch) ?? (await readTip(this.#files, this.folder, branch));
  }

  /** A revision, its parent left out where the history was cut. */
  async revision(id: string): Promise<Revision> {
    return this.#revision(id, await this.cuts());
  }

  /** A revision and those before it, newest first. */
  async *history(from: string): AsyncGenerator<Revision> {
    const cuts = await this.cuts();
    for (let id: string | undefined = from; id !== undefined; ) {
      const revision: Revision = await this.#revision(id, cuts);
      yield revision;
      id = revision.parent;
    }
  }

  async readTree(id: string): Promise<readonly GitEntry[]> {
    const { tree } = await readingGit(id, () => git.readTree({ ...this.#git, oid: id }));
    return tree.map(({ path, mode, oid }) => ({
      name: path,
      mode: mode as GitEntry['mode'],
      id: oid,
    }));
  }

  async readBlob(id: string): Promise<Buffer> {
    const { type, content } = await readObject(this.#git, id);
    if (type === 'blob') return content;
    throw damaged(`a ${type}`, id);
  }

  /** Reads an object and checks that it is what its name says. */
  async check(id: string): Promise<void> {
    await readObject(this.#git, id);
  }

  /** Revisions that count as the first: git's `shallow`, which every git honours. */
  async cuts(): Promise<ReadonlySet<string>> {
    const bytes = await this.#files.readFile(`${this.folder}/shallow`, 4096);
    return new Set((bytes?.toString('latin1') ?? '').split('\n').filter((line) => line !== ''));
  }

  /** Replaces the list of revisions whose parents count as absent. */
  async cutAt(ids: Iterable<string>): Promise<void> {
    const text = [...ids].map((id) => `${id}\n`).join('');
    await replaceFile(this.#files, `${this.folder}/shallow`, Buffer.from(text), 0o600);
    // What `git gc` remembers of the revisions before is wrong from now on.
    for (const name of ['commit-graph', 'commit-graphs']) {
      await this.#files.remove(`${this.folder}/objects/info/${name}`);
    }
  }

  /** Ids of all objects. */
  async *objects(): AsyncGenerator<string> {
    const folder = `${this.folder}/objects`;
    for (const first of (await this.#files.readFolder(folder)) ?? []) {
      if (!/^[0-9a-f]{2}$/.test(first)) continue;
      for (const rest of (await this.#files.readFolder(`${folder}/${first}`)) ?? []) {
        if (/^[0-9a-f]{38}$/.test(rest)) yield first + rest;
      }
    }
  }

  async removeObject(id: string): Promise<void> {
    await this.#git.fs.removeObject(id);
  }

  async #revision(id: string, cuts: ReadonlySet<string>): Promise<Revision> {
    const { commit } = await readingGit(id, () => git.readCommit({ ...this.#git, oid: id }));
    const [parent] = commit.parent;
    return {
      id,
      tree: commit.tree,
      parent: cuts.has(id) ? undefined : parent,
      time: commit.committer.timestamp,
      ...parseMessage(commit.message),
    };
  }
}
