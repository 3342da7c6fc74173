import type { Progress } from '../ports/progress.ts';
import { fileObjectHash } from '../repo/file-header.ts';
import type { DirectoryNode, FileNode, SymlinkNode, TreeNode } from '../repo/tree.ts';
import { sourceSize } from './source-size.ts';
import {
  type SourceDirectory,
  type SourceFile,
  type SourceNode,
  type SourceSymlink,
  scratchSize,
} from './source-tree.ts';

/** A source tree with every checksum known, and where each object's content is read from. */
export interface MeasuredTree {
  readonly root: DirectoryNode;
  /** By object checksum. Equal files are there once. */
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly links: ReadonlyMap<string, SourceSymlink>;
}

/** Reads and hashes every file once. Nothing is written. Throws as the contents do. */
export async function measureTree(
  root: SourceDirectory,
  progress: Progress = () => {},
): Promise<MeasuredTree> {
  const files = new Map<string, SourceFile>();
  const links = new Map<string, SourceSymlink>();
  /** Hard links share their node, and are hashed once. */
  const known = new Map<SourceFile, FileNode>();
  const scratch = Buffer.allocUnsafe(scratchSize);
  const total = sourceSize(root);
  let done = 0;

  const measureFile = async (node: SourceFile): Promise<FileNode> => {
    const present = known.get(node);
    if (present !== undefined) return present;
    const { content, ...metadata } = node;
    const hash = fileObjectHash({ ...metadata, target: '' });
    for await (const piece of content.open(scratch)) {
      hash.update(piece);
      done += piece.length;
      progress(done, total, 'Hashing');
    }
    const checksum = hash.digest('hex');
    const measured: FileNode = { ...metadata, size: content.size, checksum };
    known.set(node, measured);
    files.set(checksum, node);
    return measured;
  };

  const measureLink = (node: SourceSymlink): SymlinkNode => {
    const checksum = fileObjectHash(node).digest('hex');
    links.set(checksum, node);
    return { ...node, checksum };
  };

  const measure = async (node: SourceNode): Promise<TreeNode> => {
    if (node.kind === 'file') return measureFile(node);
    return node.kind === 'symlink' ? measureLink(node) : measureDirectory(node);
  };

  const measureDirectory = async (node: SourceDirectory): Promise<DirectoryNode> => {
    const entries = new Map<string, TreeNode>();
    for (const [name, child] of node.entries) entries.set(name, await measure(child));
    return { ...node, entries };
  };

  return { root: await measureDirectory(root), files, links };
}
