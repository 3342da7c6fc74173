import { isLinkHeader } from './file-header.ts';
import { readFileHeader } from './file-object.ts';
import { findInCommit } from './find-in-commit.ts';
import {
  type DirectoryTree,
  decodeDirectoryMetadata,
  decodeDirectoryTree,
} from './metadata-objects.ts';
import type { Repository } from './repository.ts';
import type { DirectoryNode, FileNode, Metadata, SymlinkNode, TreeNode } from './tree.ts';
import { deepest, mostEntries, tooMuch } from './tree-limits.ts';

/**
 * The tree of a commit, with sizes from the file objects' headers. Metadata objects are checked
 * against their checksums; contents are not read.
 *
 * Throws CORRUPT_OBJECT, CORRUPT_GVARIANT, CORRUPT_TREE (too deep, too large), NOT_FOUND_OBJECT.
 */
export async function readTree(repository: Repository, commit: string): Promise<DirectoryNode> {
  const { rootTree, rootMeta } = await repository.readCommit(commit);
  return readDirectory(repository, rootTree, rootMeta);
}

/**
 * What a path of a commit names, with all that is below it; links are not followed. `undefined` when
 * nothing has that name. Throws as `readTree`.
 */
export async function readNode(
  repository: Repository,
  commit: string,
  path: string,
): Promise<TreeNode | undefined> {
  const found = await findInCommit(repository, commit, path);
  if (found === undefined) return undefined;
  if (found.kind === 'directory') return readDirectory(repository, found.tree, found.meta);
  return readFile(repository, found.checksum);
}

async function readDirectory(
  repository: Repository,
  tree: string,
  meta: string,
): Promise<DirectoryNode> {
  const reader = new TreeReader(repository);
  await reader.load(tree, meta, 0);
  return reader.build(tree, meta);
}

function readFile(repository: Repository, checksum: string): FileNode | SymlinkNode {
  const header = readFileHeader(repository, checksum);
  const { size, target, ...metadata } = header;
  return isLinkHeader(header)
    ? { kind: 'symlink', ...metadata, target, checksum }
    : { kind: 'file', ...metadata, size, checksum };
}

/** A dirtree that was read, and how large the tree below it is. */
interface LoadedTree {
  readonly tree: DirectoryTree;
  readonly entries: number;
  readonly height: number;
}

class TreeReader {
  readonly #repository: Repository;
  readonly #trees = new Map<string, LoadedTree>();
  readonly #files = new Map<string, FileNode | SymlinkNode>();
  readonly #metadata = new Map<string, Metadata>();

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  /** Reads every dirtree and dirmeta once, and measures before anything is built (S5). */
  async load(checksum: string, meta: string, depth: number): Promise<LoadedTree> {
    await this.#loadMetadata(meta);
    const known = this.#trees.get(checksum);
    const path = this.#repository.objectFile(checksum, 'dirtree');
    if (depth + (known?.height ?? 0) > deepest) {
      throw tooMuch('a tree is nested too deeply', `${deepest} levels`, path);
    }
    if (known !== undefined) return known;
    const bytes = await this.#repository.readMetadataObject(checksum, 'dirtree');
    const tree = decodeDirectoryTree(bytes, path);
    let entries = tree.files.length + tree.directories.length;
    let height = 0;
    for (const child of tree.directories) {
      const below = await this.load(child.tree, child.meta, depth + 1);
      entries += below.entries;
      height = Math.max(height, below.height + 1);
      if (entries > mostEntries) {
        throw tooMuch('a tree has too many entries', `${mostEntries} entries`, path);
      }
    }
    const loaded = { tree, entries, height };
    this.#trees.set(checksum, loaded);
    return loaded;
  }

  /** Directories are nodes of their own, each time that they occur. */
  build(checksum: string, meta: string): DirectoryNode {
    const tree = this.#trees.get(checksum)?.tree;
    const metadata = this.#metadata.get(meta);
    if (tree === undefined || metadata === undefined) throw new Error('it has been loaded');
    const entries = new Map<string, TreeNode>();
    for (const { name, checksum } of tree.files) entries.set(name, this.#file(checksum));
    for (const child of tree.directories) {
      entries.set(child.name, this.build(child.tree, child.meta));
    }
    return { kind: 'directory', ...metadata, entries };
  }

  #file(checksum: string): FileNode | SymlinkNode {
    const known = this.#files.get(checksum);
    if (known !== undefined) return known;
    const node = readFile(this.#repository, checksum);
    this.#files.set(checksum, node);
    return node;
  }

  async #loadMetadata(checksum: string): Promise<void> {
    if (this.#metadata.has(checksum)) return;
    const bytes = await this.#repository.readMetadataObject(checksum, 'dirmeta');
    const path = this.#repository.objectFile(checksum, 'dirmeta');
    this.#metadata.set(checksum, decodeDirectoryMetadata(bytes, path));
  }
}
