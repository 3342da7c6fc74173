import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { encodeCommit } from '../../src/repo/commit-object.ts';
import { encodeFileHeader, fileObjectHash } from '../../src/repo/file-header.ts';
import type { ObjectKind } from '../../src/repo/object-name.ts';
import { writeRef } from '../../src/repo/refs.ts';
import { Repository } from '../../src/repo/repository.ts';
import type { DirectoryNode, FileNode, TreeNode } from '../../src/repo/tree.ts';
import { encodeTree } from '../../src/repo/write-tree.ts';

const folders = 50;
const filesEach = 20;
/** With their directories, the root and the commit: 200 objects. */
const changedFiles = 154;
const changedFolders = 44;
const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
const owner = { uid, gid, xattrs: [] };

/** Makes nothing durable: the repository is thrown away. */
const quick = { sync: async () => {}, syncAll: async () => {} };

/**
 * Makes a repository of many commits on the ref `bench`, each with 200 new objects over the one before, and
 * a folder with the last one's tree: 1,000 small files in 50 directories. Gives the number of objects.
 */
export async function makeHistory(repo: string, folder: string, commits: number): Promise<number> {
  const repository = await Repository.init(repo, quick);
  const history = new History(repository);
  for (let commit = 0; commit < commits; commit += 1) history.commit();
  await writeRef(repository, 'bench', history.head);
  history.writeFolder(folder);
  return history.objects;
}

class History {
  objects = 0;
  head = '';
  readonly #repository: Repository;
  readonly #made = new Set<string>();
  readonly #written = new Set<string>();
  /** Of each file of each folder, by the number of its last change. */
  readonly #versions = Array.from({ length: folders * filesEach }, () => 0);
  readonly #nodes: FileNode[] = [];
  #commits = 0;

  constructor(repository: Repository) {
    this.#repository = repository;
  }

  commit(): void {
    const first = this.#commits === 0;
    const count = first ? this.#versions.length : changedFiles;
    for (let index = 0; index < count; index += 1) {
      // Each time other folders and other files of them.
      const folder = first ? index % folders : (this.#commits + (index % changedFolders)) % folders;
      const round = first ? 0 : this.#commits;
      const file = (Math.floor(index / (first ? folders : changedFolders)) + round) % filesEach;
      this.#change(folder * filesEach + file);
    }
    const root = encodeTree(this.#tree(), ({ checksum, kind, bytes }) =>
      this.#put(checksum, kind, bytes),
    );
    const commit = encodeCommit({
      metadata: [],
      parent: first ? undefined : this.head,
      related: [],
      subject: `Commit ${this.#commits}`,
      body: '',
      timestamp: 1_700_000_000 + this.#commits,
      rootTree: root.tree,
      rootMeta: root.meta,
    });
    this.head = createHash('sha256').update(commit).digest('hex');
    this.#put(this.head, 'commit', commit);
    this.#commits += 1;
  }

  writeFolder(path: string): void {
    mkdirSync(path, { mode: 0o755 });
    for (const [index, version] of this.#versions.entries()) {
      const folder = join(path, `folder-${Math.floor(index / filesEach)}`);
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      writeFileSync(join(folder, `file-${index}`), content(index, version), { mode: 0o644 });
    }
  }

  #change(index: number): void {
    this.#versions[index] = this.#commits;
    const bytes = content(index, this.#commits);
    const header = { ...owner, mode: 0o100644, size: bytes.length, target: '' };
    const checksum = fileObjectHash(header).update(bytes).digest('hex');
    const { size, mode } = header;
    this.#nodes[index] = { kind: 'file', ...owner, mode, size, checksum };
    this.#put(
      checksum,
      'filez',
      Buffer.concat([encodeFileHeader(header), deflateRawSync(bytes, { chunkSize: 1024 })]),
    );
  }

  #tree(): DirectoryNode {
    const directory = (entries: readonly (readonly [string, TreeNode])[]): DirectoryNode => {
      return { kind: 'directory', ...owner, mode: 0o040755, entries: new Map(entries) };
    };
    const files = this.#nodes.map((node, index) => [`file-${index}`, node] as const);
    return directory(
      Array.from({ length: folders }, (_, folder) => [
        `folder-${folder}`,
        directory(files.slice(folder * filesEach, (folder + 1) * filesEach)),
      ]),
    );
  }

  #put(checksum: string, kind: ObjectKind, bytes: Uint8Array): void {
    if (this.#written.has(checksum)) return;
    this.#written.add(checksum);
    const prefix = checksum.slice(0, 2);
    if (!this.#made.has(prefix)) {
      mkdirSync(join(this.#repository.path, 'objects', prefix), { recursive: true });
      this.#made.add(prefix);
    }
    writeFileSync(this.#repository.objectFile(checksum, kind), bytes);
    this.objects += 1;
  }
}

function content(file: number, version: number): Buffer {
  return Buffer.from(`file ${file} as of commit ${version}\n`.repeat(5 + (file % 30)));
}
