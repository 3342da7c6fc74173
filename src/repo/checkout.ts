import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { chmod, lchown, lutimes, mkdir, rm, symlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PineError } from '../error.ts';
import { forEachParallel } from '../parallel.ts';
import type { Progress } from '../ports/progress.ts';
import { writeTreeXattrs } from '../ports/xattr-dump.ts';
import { readFileContent } from './file-object.ts';
import { readTree } from './read-tree.ts';
import type { Repository } from './repository.ts';
import type { FileNode, TreeNode } from './tree.ts';

export interface CheckoutOptions {
  /** Leaves owners and xattrs alone, for users who may not set them. */
  readonly userMode?: boolean;
  readonly progress?: Progress;
}

const parallelFiles = 4;
const smallFile = 256 * 1024;

/**
 * Writes the tree of a commit into a new folder: contents, modes, owners, xattrs; every time is the
 * commit's. What was written is removed when it fails. Throws STATE_FOLDER_EXISTS, CORRUPT_….
 */
export async function checkOut(
  repository: Repository,
  commit: string,
  folder: string,
  options: CheckoutOptions = {},
): Promise<void> {
  const { timestamp } = await repository.readCommit(commit);
  const root = await readTree(repository, commit);
  await makeNewFolder(folder);
  try {
    const entries = [...flatten(root, '.')];
    await writeContents(repository, folder, entries, options.progress);
    if (!options.userMode) await setOwnersAndXattrs(folder, entries);
    await setModesAndTimes(folder, entries, timestamp);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

type Entry = readonly [path: string, node: TreeNode];

/** Every node with its path relative to the root, parents first. */
function* flatten(node: TreeNode, path: string): Generator<Entry> {
  yield [path, node];
  if (node.kind !== 'directory') return;
  for (const [name, child] of node.entries) yield* flatten(child, `${path}/${name}`);
}

/** Creates everything, readable by nobody else until modes are set. */
async function writeContents(
  repository: Repository,
  folder: string,
  entries: readonly Entry[],
  progress: Progress = () => {},
): Promise<void> {
  const files: (readonly [string, FileNode])[] = [];
  for (const [path, node] of entries) {
    if (node.kind === 'directory' && path !== '.') mkdirSync(`${folder}/${path}`, { mode: 0o700 });
    if (node.kind === 'symlink') await symlink(node.target, `${folder}/${path}`);
    if (node.kind === 'file') files.push([path, node]);
  }
  const total = files.reduce((sum, [, { size }]) => sum + size, 0);
  let done = 0;
  await forEachParallel(files, parallelFiles, async ([path, node]) => {
    await writeContent(repository, `${folder}/${path}`, node);
    done += node.size;
    progress(done, total, 'Checking out');
  });
}

async function writeContent(
  repository: Repository,
  path: string,
  { checksum, size }: FileNode,
): Promise<void> {
  const content = readFileContent(repository, checksum);
  const creation = { flag: 'wx', mode: 0o600 } as const;
  if (size <= smallFile) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    writeFileSync(path, Buffer.concat(pieces), creation);
  } else {
    await pipeline(Readable.from(content), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  }
}

/** Owners before xattrs: a change of owner drops capabilities. Directories last: a default ACL would leak onto what is created in them. */
async function setOwnersAndXattrs(folder: string, entries: readonly Entry[]): Promise<void> {
  for (const [path, node] of entries) await setOwner(`${folder}/${path}`, node);
  const isDirectory = ([, node]: Entry) => node.kind === 'directory';
  const ordered = [
    ...entries.filter((entry) => !isDirectory(entry)),
    ...entries.filter(isDirectory),
  ];
  await writeTreeXattrs(
    folder,
    ordered.map(([path, { xattrs }]) => [path, xattrs]),
  );
}

async function setOwner(path: string, { uid, gid }: TreeNode): Promise<void> {
  try {
    await lchown(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    throw new PineError('IO_EPERM', 'only root may give files to other users', {
      expected: `to set owner ${uid} and group ${gid}`,
      found: 'not permitted',
      where: path,
      remedy: 'run it as root, or with --user-mode to keep the files',
    });
  }
}

/** Children first: nothing can be entered or written any more once its own mode is set. */
async function setModesAndTimes(
  folder: string,
  entries: readonly Entry[],
  time: number,
): Promise<void> {
  for (const [path, node] of entries.toReversed()) {
    const absolute = `${folder}/${path}`;
    await lutimes(absolute, time, time);
    if (node.kind !== 'symlink') await chmod(absolute, node.mode & 0o7777);
  }
}

async function makeNewFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new PineError('STATE_FOLDER_EXISTS', 'a commit is checked out into a new folder', {
      expected: 'a path that nothing has yet',
      found: 'something',
      where: folder,
      remedy: 'give another path, or remove what is there',
    });
  }
}
