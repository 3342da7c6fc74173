import { PineError } from '../error.ts';
import { isLinkHeader } from './file-header.ts';
import { readFileHeader } from './file-object.ts';
import { decodeDirectoryMetadata, decodeDirectoryTree } from './metadata-objects.ts';
import type { Repository } from './repository.ts';
import type { DirectoryNode, FileNode, Metadata, SymlinkNode, TreeNode } from './tree.ts';

/** Directories inside each other: more do not fit into a path. */
const deepest = 2048;
/** More than any root has; a tree of few objects that contain each other reaches it soon (S5). */
const mostEntries = 4_000_000;

/**
 * The tree of a commit, with sizes from the file objects' headers. Metadata objects are checked
 * against their checksums; contents are not read.
 *
 * Throws CORRUPT_OBJECT, CORRUPT_GVARIANT, CORRUPT_TREE (too deep, too large), NOT_FOUND_OBJECT.
 */
export async function readTree(repository: Repository, commit: string): Promise<DirectoryNode> {
  const { rootTree, rootMeta } = await repository.readCommit(commit);
  return new TreeReader(repository).directory(rootTree, rootMeta, 0);
}

class TreeReader {
  readonly #repository: Repository;
  readonly #files = new Map<string, FileNode | SymlinkNode>();
  readonly #metadata = new Map<string, Metadata>();
  #entries = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  async directory(tree: string, meta: string, depth: number): Promise<DirectoryNode> {
    const path = this.#repository.objectFile(tree, 'dirtree');
    if (depth > deepest) throw tooMuch('a tree is nested too deeply', `${deepest} levels`, path);
    const bytes = await this.#repository.readMetadataObject(tree, 'dirtree');
    const { files, directories } = decodeDirectoryTree(bytes, path);
    this.#entries += files.length + directories.length;
    if (this.#entries > mostEntries) {
      throw tooMuch('a tree has too many entries', `${mostEntries} entries`, path);
    }
    const entries = new Map<string, TreeNode>();
    for (const { name, checksum } of files) entries.set(name, this.#file(checksum));
    for (const directory of directories) {
      entries.set(directory.name, await this.directory(directory.tree, directory.meta, depth + 1));
    }
    return { kind: 'directory', ...(await this.#directoryMetadata(meta)), entries };
  }

  #file(checksum: string): FileNode | SymlinkNode {
    const known = this.#files.get(checksum);
    if (known !== undefined) return known;
    const header = readFileHeader(this.#repository, checksum);
    const { size, target, ...metadata } = header;
    const node: FileNode | SymlinkNode = isLinkHeader(header)
      ? { kind: 'symlink', ...metadata, target, checksum }
      : { kind: 'file', ...metadata, size, checksum };
    this.#files.set(checksum, node);
    return node;
  }

  async #directoryMetadata(checksum: string): Promise<Metadata> {
    const known = this.#metadata.get(checksum);
    if (known !== undefined) return known;
    const bytes = await this.#repository.readMetadataObject(checksum, 'dirmeta');
    const path = this.#repository.objectFile(checksum, 'dirmeta');
    const metadata = decodeDirectoryMetadata(bytes, path);
    this.#metadata.set(checksum, metadata);
    return metadata;
  }
}

function tooMuch(summary: string, bound: string, where: string): PineError {
  return new PineError('CORRUPT_TREE', summary, {
    expected: `at most ${bound}`,
    found: 'more',
    where,
    remedy: 'do not use this commit: it is made to exhaust who reads it',
  });
}
