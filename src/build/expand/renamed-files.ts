import { dirname } from 'node:path/posix';
import { followLinks } from '../follow-links.ts';
import type { SourceDirectory, SourceNode } from '../source-node.ts';

/** A name that may be exchanged for another one in its folder. */
interface Renamable {
  readonly folder: SourceDirectory;
  readonly name: string;
  readonly plainName: string;
}

/** The names of a tree that were exchanged for others, to be asked by what led to them. */
export class RenamedFiles {
  readonly #root: SourceDirectory;
  readonly #names = new Map<SourceDirectory, Map<string, string>>();

  constructor(root: SourceDirectory) {
    this.#root = root;
  }

  /** Whether nothing has the new name. */
  isFree({ folder, plainName }: Renamable): boolean {
    return !folder.entries.has(plainName);
  }

  /** Puts a node under the new name in the place of what has the old one. */
  rename({ folder, name, plainName }: Renamable, node: SourceNode): void {
    folder.entries.delete(name);
    folder.entries.set(plainName, node);
    const names = this.#names.get(folder) ?? new Map<string, string>();
    this.#names.set(folder, names.set(name, plainName));
  }

  /** Says that a link still has its name, but leads to a plain file now. */
  note(folder: SourceDirectory, name: string): void {
    const names = this.#names.get(folder) ?? new Map<string, string>();
    this.#names.set(folder, names.set(name, name));
  }

  /**
   * What the last name of a path is called now, the folders before it followed; `undefined` when
   * nothing there was expanded. A path without a slash in front is one from the folder `from`.
   */
  newName(path: string, from: string): string | undefined {
    const absolute = path.startsWith('/') ? path : `${from}/${path}`;
    const folder = followLinks(this.#root, dirname(absolute), 'stay')?.node;
    if (folder?.kind !== 'directory') return undefined;
    return this.#names.get(folder)?.get(absolute.slice(absolute.lastIndexOf('/') + 1));
  }

  /** The path with the new last name; `undefined` when that is the same. */
  newPath(path: string, from: string): string | undefined {
    const name = this.newName(path, from);
    const stem = path.slice(0, path.lastIndexOf('/') + 1);
    return name === undefined || path === stem + name ? undefined : stem + name;
  }
}
