import { createHash } from 'node:crypto';
import { encodeDirectoryMetadata, encodeDirectoryTree } from './metadata-objects.ts';
import type { DirectoryNode } from './tree.ts';

/** A metadata object that a tree needs. */
export interface TreeObject {
  readonly kind: 'dirtree' | 'dirmeta';
  readonly checksum: string;
  readonly bytes: Buffer;
}

/** What a commit names as its root. */
export interface RootChecksums {
  readonly tree: string;
  readonly meta: string;
}

/** Encodes every directory of a tree, children first, and hands each object to `add`. */
export function encodeTree(root: DirectoryNode, add: (object: TreeObject) => void): RootChecksums {
  const put = (kind: TreeObject['kind'], bytes: Buffer): string => {
    const checksum = createHash('sha256').update(bytes).digest('hex');
    add({ kind, checksum, bytes });
    return checksum;
  };
  const encode = (node: DirectoryNode): RootChecksums => {
    const files: { name: string; checksum: string }[] = [];
    const directories: { name: string; tree: string; meta: string }[] = [];
    for (const [name, child] of node.entries) {
      if (child.kind === 'directory') directories.push({ name, ...encode(child) });
      else files.push({ name, checksum: child.checksum });
    }
    const tree = put('dirtree', encodeDirectoryTree({ files, directories }));
    return { tree, meta: put('dirmeta', encodeDirectoryMetadata(node)) };
  };
  return encode(root);
}
