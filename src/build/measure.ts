import type { Progress } from '../ports/progress.ts';
import { fileObjectHash, fileObjectPrefix } from '../repo/file-header.ts';
import { Contents } from '../repo/threads/contents.ts';
import { Threads } from '../repo/threads/threads.ts';
import type { DirectoryNode, TreeNode } from '../repo/tree.ts';
import {
  type SourceDirectory,
  type SourceFile,
  type SourceNode,
  type SourceSymlink,
  walkSource,
} from './source-node.ts';

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
  const files = filesOf(root);
  const tell = countBytes([...files.keys()], progress);
  return nameFiles(root, await hashFiles(files, threads, tell));
}

/** Every file of a tree once, hard links too, with the bytes that are hashed before its content. */
export function filesOf(root: SourceDirectory): Map<SourceFile, Buffer> {
  const files = new Map<SourceFile, Buffer>();
  // Most files of a tree share owner and mode.
  const known = new Map<string, Buffer>();
  for (const [, node] of walkSource(root)) {
    if (node.kind !== 'file' || files.has(node)) continue;
    const { mode, uid, gid, xattrs } = node;
    const key = xattrs.length === 0 ? `${mode}:${uid}:${gid}` : '';
    const prefix = known.get(key) ?? fileObjectPrefix({ ...node, target: '' });
    if (key !== '') known.set(key, prefix);
    files.set(node, prefix);
  }
  return files;
}

/** Hashes files on threads: the object checksum of each. `read` is told their sizes, one by one. */
export async function hashFiles(
  files: ReadonlyMap<SourceFile, Buffer>,
  threads: Threads,
  read: (size: number) => void,
): Promise<Map<SourceFile, string>> {
  const contents = new Contents(threads);
  const checksums = new Map<SourceFile, string>();
  for (const [file, prefix] of files) {
    const { open, size } = file.content;
    await contents.add(open, size, { prefix, done: (digest) => checksums.set(file, digest) });
    read(size);
  }
  await contents.finish();
  return checksums;
}

/** Puts the checksums into a tree. */
export function nameFiles(
  root: SourceDirectory,
  checksums: ReadonlyMap<SourceFile, string>,
): MeasuredTree {
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

/** Reports the bytes of files as they are read. A file that is read twice is given twice. */
export function countBytes(
  files: readonly SourceFile[],
  progress: Progress,
): (size: number) => void {
  const total = files.reduce((sum, { content }) => sum + content.size, 0);
  let done = 0;
  return (size) => {
    done += size;
    progress(done, total, 'Hashing');
  };
}
