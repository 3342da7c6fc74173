import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import type { Repository } from '../../repo/repository.ts';
import { resolveCommit } from '../../repo/resolve.ts';
import { type ScanOptions, scanFolder } from '../scan.ts';
import { type SourceDirectory, type SourceNode, walkSource } from '../source-node.ts';
import { SourceTree } from '../source-tree.ts';
import { commitSource } from './commit-source.ts';
import { Spool } from './spool.ts';
import { unpackTar } from './unpack-tar.ts';
import { unpackedStream } from './unpacked-stream.ts';

/** Where a part of a tree comes from. */
export interface TreeSource {
  readonly kind: 'dir' | 'tar' | 'ref' | 'apk';
  /** A path, `-` for a tar from standard input, or the name of a commit. */
  readonly name: string;
}

export interface SourceOptions extends ScanOptions {
  /** A folder with the public keys that Alpine packages may be signed with. */
  readonly apkKeys?: string;
}

/** A tree that was put together; contents can be read until it is closed. */
export interface OpenedSources {
  readonly tree: SourceTree;
  /** Devices that were left out, as paths in the tree. */
  readonly skipped: readonly string[];
  /** What the user should know, a line each. */
  readonly notes: readonly string[];
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
  options: SourceOptions,
): Promise<OpenedSources> {
  const [first] = sources;
  if (sources.length === 1 && first?.kind === 'dir') {
    return { ...(await scanFolder(first.name, options)), notes: [], close: () => {} };
  }
  const spool = new Spool(join(repository.path, 'tmp'));
  try {
    const tree = SourceTree.empty();
    const skipped: string[] = [];
    const notes: string[] = [];
    for (const { kind, name } of sources) {
      if (kind === 'dir') {
        const scan = await scanFolder(name, options);
        skipped.push(...scan.skipped);
        layTree(tree, scan.tree.root);
      } else if (kind === 'ref') {
        const commit = await resolveCommit(repository, name);
        layTree(tree, await commitSource(repository, commit));
      } else if (kind === 'apk') {
        const apk = await openApk(tree, name, spool, options);
        skipped.push(...apk.skipped);
        if (apk.scripts.length > 0) {
          notes.push(`${apk.package} has scripts that did not run: ${apk.scripts.join(', ')}`);
        }
      } else {
        const archive = unpackedStream(readArchive(name), name);
        skipped.push(...(await unpackTar(tree, archive, spool, name, options)));
      }
    }
    return { tree: withOwner(tree, options), skipped, notes, close: () => spool.close() };
  } catch (error) {
    spool.close();
    throw error;
  }
}

async function openApk(tree: SourceTree, path: string, spool: Spool, options: SourceOptions) {
  const { apkKeys } = options;
  if (apkKeys === undefined) {
    throw new PineError('USAGE_COMMAND_LINE', 'a package is taken only with a signature', {
      expected: "--apk-keys FOLDER, with Alpine's public keys",
      found: `--tree apk=${path} without it`,
      where: 'the command line',
      remedy: 'give /etc/apk/keys of a root that you trust',
    });
  }
  await checkReadable(path);
  const { unpackApk } = await import('./unpack-apk.ts');
  return unpackApk(tree, path, apkKeys, spool, options);
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

async function* readArchive(path: string): AsyncGenerator<Uint8Array> {
  if (path === '-') return yield* process.stdin;
  await checkReadable(path);
  yield* createReadStream(path, { highWaterMark: 256 * 1024 });
}

async function checkReadable(path: string): Promise<void> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  if (status !== undefined && !status.isDirectory()) return;
  throw new PineError('NOT_FOUND_FILE', 'there is no such archive', {
    expected: 'a file, or `tar=-` for standard input',
    found: status === undefined ? 'nothing' : 'a folder',
    where: path,
    remedy: 'check the path; a folder is `--tree dir=FOLDER`',
  });
}
