import type { ObjectSource } from '../../src/plan/object-source.ts';
import type { DirectoryNode, FileNode, SymlinkNode, TreeNode, Xattr } from '../../src/repo/tree.ts';
import { startFileChecksum } from './ostree-checksum.ts';

/** Makes small trees in memory, and keeps the contents of their files. */
export class TreeMaker {
  readonly contents = new Map<string, Buffer>();

  readonly objects: ObjectSource = {
    open: (checksum) => this.#read(checksum),
  };

  file(content: string | Uint8Array, options: Partial<FileNode> = {}): FileNode {
    const bytes = Buffer.from(content as Uint8Array);
    const metadata = { mode: 0o100644, uid: 0, gid: 0, xattrs: [] as Xattr[], ...options };
    const checksum = startFileChecksum(metadata).update(bytes).digest('hex');
    this.contents.set(checksum, bytes);
    return { kind: 'file', size: bytes.length, checksum, ...metadata };
  }

  symlink(target: string, options: Partial<SymlinkNode> = {}): SymlinkNode {
    const metadata = { mode: 0o120777, uid: 0, gid: 0, xattrs: [] as Xattr[], ...options };
    const checksum = startFileChecksum(metadata, target).digest('hex');
    return { kind: 'symlink', target, checksum, ...metadata };
  }

  directory(
    entries: Record<string, TreeNode> = {},
    options: Partial<DirectoryNode> = {},
  ): DirectoryNode {
    return {
      kind: 'directory',
      mode: 0o40755,
      uid: 0,
      gid: 0,
      xattrs: [],
      entries: new Map(Object.entries(entries)),
      ...options,
    };
  }

  async *#read(checksum: string): AsyncIterable<Uint8Array> {
    const bytes = this.contents.get(checksum);
    if (bytes === undefined) throw new Error(`no object ${checksum}`);
    for (let from = 0; from < bytes.length; from += 50_000) {
      yield bytes.subarray(from, from + 50_000);
    }
  }
}
