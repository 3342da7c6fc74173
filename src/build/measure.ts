import type { Progress } from '../ports/progress.ts';
import { fileObjectHash, fileObjectPrefix } from '../repo/file-header.ts';
import { Contents } from '../repo/threads/contents.ts';
import { Threads } from '../repo/threads/threads.ts';
import type { DirectoryNode, TreeNode } from '../repo/tree.ts';
import { sourceSize } from './source-size.ts';
import {
  type SourceDirectory,
  type SourceFile,
  type SourceNode,
  type SourceSymlink,
  walkSource,
} from './source-tree.ts';

/** A source tree with every checksum known, and where each object's content is read from. */
export interface MeasuredTree {
  readonly root: DirectoryNode;
  /** By object checksum. Equal files are there once. */
  readonly files: ReadonlyMap<string, SourceFile>;
  readonly links: ReadonlyMap<string, SourceSymlink>;
}

/** Reads and hashes every file once, on threads. Nothing is written. Throws as the contents do. */
export async function measureTree(
  root: SourceDirectory,
  threads: Threads = new Threads(0),
  progress: Progress = () => {},
): Promise<MeasuredTree> {
  /** Hard links share their node, and are hashed once. */
  const checksums = await hashFiles(root, threads, progress);
  const files = new Map<string, SourceFile>();
  const links = new Map<string, SourceSymlink>();

  const measure = (node: SourceNode): TreeNode => {
    if (node.kind === 'directory') return measureDirectory(node);
    if (node.kind === 'symlink') {
      const checksum = fileObjectHash(node).digest('hex');
      links.set(checksum, node);
      return { ...node, checksum };
    }
    const { content, ...metadata } = node;
    const checksum = checksums.get(node);
    if (checksum === undefined) throw new Error('every file was hashed');
    files.set(checksum, node);
    return { ...metadata, size: content.size, checksum };
  };
  const measureDirectory = (node: SourceDirectory): DirectoryNode => {
    const entries = [...node.entries].map(([name, child]) => [name, measure(child)] as const);
    return { ...node, entries: new Map(entries) };
  };

  return { root: measureDirectory(root), files, links };
}

async function hashFiles(
  root: SourceDirectory,
  threads: Threads,
  progress: Progress,
): Promise<ReadonlyMap<SourceFile, string>> {
  const contents = new Contents(threads);
  const total = sourceSize(root);
  const checksums = new Map<SourceFile, string>();
  const begun = new Set<SourceFile>();
  let done = 0;
  for (const [, node] of walkSource(root)) {
    if (node.kind !== 'file' || begun.has(node)) continue;
    begun.add(node);
    const { content } = node;
    const prefix = fileObjectPrefix({ ...node, target: '' });
    await contents.add(content.open, content.size, {
      prefix,
      done: (digest) => checksums.set(node, digest),
    });
    done += content.size;
    progress(done, total, 'Hashing');
  }
  await contents.finish();
  return checksums;
}
