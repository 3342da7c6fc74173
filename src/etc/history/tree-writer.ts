import type { EtcEntry } from '../walk.ts';
import type { GitEntry, HistoryRepository } from './repository.ts';
import { type Attributes, formatSidecar, isStandard } from './sidecar.ts';
import { isBelow, nameOf, sidecarName } from './withheld.ts';

interface OpenFolder {
  readonly path: string;
  readonly own: Attributes;
  readonly git: GitEntry[];
  readonly attributes: Map<string, Attributes>;
}

/**
 * Makes git trees of entries that come in the order of `walkEtc`. A folder's tree is written, with its `.pine-metadata`,
 * once the first entry that is not below it comes.
 */
export class TreeWriter {
  readonly #repository: HistoryRepository;
  readonly #open: OpenFolder[] = [];
  #finished = '';

  constructor(repository: HistoryRepository) {
    this.#repository = repository;
  }

  /** Adds an entry: a file or link with its blob, a folder, or something that is withheld. */
  async add({ path, kind, mode }: EtcEntry, attributes: Attributes, blob?: string): Promise<void> {
    await this.#closeUpTo(path);
    const name = nameOf(path);
    const parent = this.#open.at(-1);
    if (kind === 'directory' && attributes.withheld === undefined) {
      this.#open.push({ path, own: attributes, git: [], attributes: new Map() });
      return;
    }
    if (blob !== undefined) {
      const plain = (mode & 0o111) === 0 ? '100644' : '100755';
      parent?.git.push({ name, mode: kind === 'symlink' ? '120000' : plain, id: blob });
    }
    if (!isStandard(attributes)) parent?.attributes.set(name, attributes);
  }

  /** Closes what is open, and gives the id of the whole tree. */
  async finish(): Promise<string> {
    await this.#closeUpTo(undefined);
    return this.#finished;
  }

  /** Closes the folders that a path is not below; all of them without one. */
  async #closeUpTo(path: string | undefined): Promise<void> {
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      if (path !== undefined && isBelow(path, top.path)) return;
      this.#open.pop();
      await this.#close(top);
    }
  }

  async #close({ path, own, git, attributes }: OpenFolder): Promise<void> {
    const parent = this.#open.at(-1);
    const others = parent?.attributes ?? attributes;
    if (!isStandard(own)) others.set(parent === undefined ? '.' : nameOf(path), own);
    if (attributes.size > 0) {
      const id = await this.#repository.writeBlob(formatSidecar(attributes));
      git.push({ name: sidecarName, mode: '100644', id });
    }
    const id = await this.#repository.writeTree(git);
    if (parent === undefined) this.#finished = id;
    else parent.git.push({ name: nameOf(path), mode: '040000', id });
  }
}
