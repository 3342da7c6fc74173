import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { chmod, lchown, lutimes, rename, symlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PineError } from '../error.ts';
import { forEachParallel } from '../parallel.ts';
import type { Progress } from '../ports/progress.ts';
import { writeTreeXattrs } from '../ports/xattr-dump.ts';
import { type CheckoutEntry, newEntries, unionEntries } from './checkout-entries.ts';
import { makeFolder, removeAdded } from './checkout-folder.ts';
import { readFileContent } from './file-object.ts';
import { readNode } from './read-tree.ts';
import type { Repository } from './repository.ts';
import type { FileNode, TreeNode } from './tree.ts';

export interface CheckoutOptions {
  /** Leaves owners and xattrs alone, for users who may not set them. */
  readonly userMode?: boolean;
  /** Only what is at this path of the commit; a single file goes into the folder. */
  readonly subpath?: string;
  /** Into a folder that may be there: directories are joined, files take the place of others. */
  readonly union?: boolean;
  readonly progress?: Progress;
  /** Ends it, as a failure would. */
  readonly stop?: AbortSignal;
}

const parallelFiles = 4;
const smallFile = 256 * 1024;

/**
 * Writes the tree of a commit into a folder: contents, modes, owners, xattrs; every time is the
 * commit's. What was written is removed when it fails or is stopped, but for files that had another's place already.
 *
 * Throws STATE_FOLDER_EXISTS, STATE_CHECKOUT_CONFLICT (with `union`), NOT_FOUND_PATH, CORRUPT_….
 */
export async function checkOut(
  repository: Repository,
  commit: string,
  folder: string,
  { subpath = '/', union = false, userMode = false, ...running }: CheckoutOptions = {},
): Promise<void> {
  const { timestamp } = await repository.readCommit(commit);
  const root = await readNode(repository, commit, subpath);
  if (root === undefined) throw noSuchPath(commit, subpath);
  const isNew = await makeFolder(folder, union);
  const entries = isNew ? newEntries(root, subpath) : unionEntries(root, subpath, folder);
  const added = entries.filter(({ present }) => !present);
  try {
    await writeContents(repository, folder, added, running);
    running.stop?.throwIfAborted();
    if (!userMode) await setOwnersAndXattrs(folder, added);
    await setModesAndTimes(folder, added, timestamp);
    for (const { written, path } of added) {
      if (written !== path) await rename(`${folder}/${written}`, `${folder}/${path}`);
    }
  } catch (error) {
    await removeAdded(folder, isNew, added);
    throw error;
  }
}

/** Creates everything, readable by nobody else until modes are set. */
async function writeContents(
  repository: Repository,
  folder: string,
  entries: readonly CheckoutEntry[],
  { progress, stop }: Pick<CheckoutOptions, 'progress' | 'stop'>,
): Promise<void> {
  const files: (readonly [string, FileNode])[] = [];
  for (const { written, node } of entries) {
    const path = `${folder}/${written}`;
    if (node.kind === 'directory' && written !== '.') mkdirSync(path, { mode: 0o700 });
    if (node.kind === 'symlink') await symlink(node.target, path);
    if (node.kind === 'file') files.push([path, node]);
  }
  const total = files.reduce((sum, [, { size }]) => sum + size, 0);
  let done = 0;
  await forEachParallel(files, parallelFiles, async ([path, node]) => {
    stop?.throwIfAborted();
    await writeContent(repository, path, node, stop);
    done += node.size;
    progress?.(done, total, 'Checking out');
  });
}

async function writeContent(
  repository: Repository,
  path: string,
  { checksum, size }: FileNode,
  stop: AbortSignal | undefined,
): Promise<void> {
  const content = readFileContent(repository, checksum);
  const creation = { flag: 'wx', mode: 0o600 } as const;
  if (size <= smallFile) {
    const pieces: Uint8Array[] = [];
    for await (const piece of content) pieces.push(piece);
    writeFileSync(path, Buffer.concat(pieces), creation);
  } else {
    const file = createWriteStream(path, { flags: 'wx', mode: 0o600 });
    await pipeline(Readable.from(content), file, stop === undefined ? {} : { signal: stop });
  }
}

/** Owners before xattrs: a change of owner drops capabilities. Directories last: a default ACL would leak onto what is created in them. */
async function setOwnersAndXattrs(
  folder: string,
  entries: readonly CheckoutEntry[],
): Promise<void> {
  for (const { written, node } of entries) await setOwner(`${folder}/${written}`, node);
  const isDirectory = ({ node }: CheckoutEntry) => node.kind === 'directory';
  const ordered = [
    ...entries.filter((entry) => !isDirectory(entry)),
    ...entries.filter(isDirectory),
  ];
  await writeTreeXattrs(
    folder,
    ordered.map(({ written, node }) => [written, node.xattrs]),
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
  entries: readonly CheckoutEntry[],
  time: number,
): Promise<void> {
  for (const { written, node } of entries.toReversed()) {
    const absolute = `${folder}/${written}`;
    await lutimes(absolute, time, time);
    if (node.kind !== 'symlink') await chmod(absolute, node.mode & 0o7777);
  }
}

function noSuchPath(commit: string, path: string): PineError {
  return new PineError('NOT_FOUND_PATH', 'the commit has no such path', {
    expected: 'a file or directory',
    found: 'nothing',
    where: path,
    remedy: `\`pinectl ls ${commit} DIRECTORY\` lists what is there`,
  });
}
