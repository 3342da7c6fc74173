import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import type { Repository } from '../../repo/repository.ts';
import { resolveCommit } from '../../repo/resolve.ts';
import { type ScanOptions, scanFolder } from '../scan.ts';
import { type SourceDirectory, type SourceNode, SourceTree, walkSource } from '../source-tree.ts';
import { commitSource } from './commit-source.ts';
import { Spool } from './spool.ts';
import { unpackTar } from './unpack-tar.ts';
import { unpackedStream } from './unpacked-stream.ts';

/** Where a part of a tree comes from. */
export interface TreeSource {
  readonly kind: 'dir' | 'tar' | 'ref';
  /** A path, `-` for a tar from standard input, or the name of a commit. */
  readonly name: string;
}

/** A tree that was put together; contents can be read until it is closed. */
export interface OpenedSources {
  readonly tree: SourceTree;
  /** Devices that were left out, as paths in the tree. */
  readonly skipped: readonly string[];
  close(): void;
}

/**
 * Lays sources over each other in their order. A folder that is there twice has the entries of both
 * and the owner and mode of the later one; of two files the later one stays; a folder laid over a
 * link to a folder goes where the link leads.
 *
 * Throws NOT_FOUND_FOLDER, NOT_FOUND_FILE, INPUT_TREE_CONFLICT, and as the sources do.
 */
export async function openSources(
  repository: Repository,
  sources: readonly TreeSource[],
  options: ScanOptions,
): Promise<OpenedSources> {
  const [first] = sources;
  if (sources.length === 1 && first?.kind === 'dir') {
    return { ...(await scanFolder(first.name, options)), close: () => {} };
  }
  const spool = new Spool(join(repository.path, 'tmp'));
  try {
    const tree = new SourceTree(emptyRoot());
    const skipped: string[] = [];
    for (const { kind, name } of sources) {
      if (kind === 'dir') {
        const scan = await scanFolder(name, options);
        skipped.push(...scan.skipped);
        layTree(tree, scan.tree.root);
      } else if (kind === 'ref') {
        const commit = await resolveCommit(repository, name);
        layTree(tree, await commitSource(repository, commit));
      } else {
        const archive = unpackedStream(readArchive(name), name);
        skipped.push(...(await unpackTar(tree, archive, spool, name, options)));
      }
    }
    return { tree: withOwner(tree, options), skipped, close: () => spool.close() };
  } catch (error) {
    spool.close();
    throw error;
  }
}

/** Lays a whole tree over another one. */
function layTree(tree: SourceTree, upper: SourceDirectory): void {
  for (const [path, node] of walkSource(upper)) {
    tree.layOver(path, node.kind === 'directory' ? { ...node, entries: new Map() } : node);
  }
}

/** Gives everything the owner that the options say; names of one file keep sharing a node. */
function withOwner(tree: SourceTree, { ownerUid, ownerGid }: ScanOptions): SourceTree {
  if (ownerUid === undefined && ownerGid === undefined) return tree;
  const known = new Map<SourceNode, SourceNode>();
  const owner = ({ uid, gid }: SourceNode) => ({ uid: ownerUid ?? uid, gid: ownerGid ?? gid });
  const changed = (node: SourceNode): SourceNode => {
    if (node.kind === 'directory') return directory(node);
    const copy = known.get(node) ?? { ...node, ...owner(node) };
    known.set(node, copy);
    return copy;
  };
  const directory = (node: SourceDirectory): SourceDirectory => {
    const entries = [...node.entries].map(([name, child]) => [name, changed(child)] as const);
    return { ...node, ...owner(node), entries: new Map(entries) };
  };
  return new SourceTree(directory(tree.root));
}

function emptyRoot(): SourceDirectory {
  const metadata = { mode: 0o040755, uid: 0, gid: 0, xattrs: [] };
  return { kind: 'directory', ...metadata, entries: new Map() };
}

async function* readArchive(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new PineError('NOT_FOUND_FILE', 'there is no such archive', {
      expected: 'a tar, as it is or packed with gzip or zstd; `-` for standard input',
      found: 'nothing',
      where: path,
      remedy: 'check the path',
    });
  }
}
