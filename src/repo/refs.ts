import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PineError } from '../error.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { isChecksum } from './object-name.ts';
import { isRefName, refPath } from './ref-name.ts';
import type { Repository } from './repository.ts';

/** The checksum that a ref (`NAME` or `REMOTE:NAME`) points to; `undefined` when there is no such ref. */
export async function readRef(repository: Repository, ref: string): Promise<string | undefined> {
  const path = join(repository.path, refPath(ref));
  const text = await readIfFile(path);
  if (text === undefined) return undefined;
  const checksum = text.trim();
  if (isChecksum(checksum)) return checksum;
  throw new PineError('CORRUPT_REF', `the ref ${ref} is damaged`, {
    expected: '64 hex digits',
    found: JSON.stringify(checksum.slice(0, 80)),
    where: path,
    remedy: 'point it to a commit again: `pinectl log CHECKSUM` shows what a commit is',
  });
}

/** All refs, by name, in order; those that were pulled from a remote as `REMOTE:NAME`. Throws CORRUPT_REF. */
export async function listRefs(repository: Repository): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const name of listRefNames(repository)) {
    const checksum = await readRef(repository, name);
    if (checksum !== undefined) found.set(name, checksum);
  }
  return found;
}

/** Their names. What else lies there (an editor's `web~`) is nobody's, as it is for ostree. */
export async function* listRefNames(repository: Repository): AsyncGenerator<string> {
  for await (const name of walk(join(repository.path, 'refs/heads'), '')) {
    if (isRefName(name)) yield name;
  }
  const remotes = join(repository.path, 'refs/remotes');
  for (const remote of (await names(remotes)).filter(isRefName)) {
    for await (const name of walk(join(remotes, remote), '')) {
      if (isRefName(name)) yield `${remote}:${name}`;
    }
  }
}

/**
 * Points a ref (`NAME` or `REMOTE:NAME`) to a commit, durably and in one step (S6): a reader sees the old or the
 * new one. Throws INPUT_REF_NAME, and INPUT_REF_CONFLICT when a part of the name is a ref itself.
 */
export async function writeRef(
  repository: Repository,
  ref: string,
  checksum: string,
): Promise<void> {
  const path = join(repository.path, refPath(ref));
  const temporary = join(repository.path, 'tmp', `pine-ref-${randomBytes(6).toString('hex')}`);
  try {
    await writeFile(temporary, `${checksum}\n`, { flag: 'wx' });
    await repository.durability.sync(temporary);
    const first = await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
    await syncUp(repository, dirname(path), first);
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (!['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(code ?? '')) throw error;
    throw new PineError('INPUT_REF_CONFLICT', `the ref ${ref} can't be there`, {
      expected: 'a name of which no part is a ref, and that is no part of one',
      found: 'another ref on the way',
      where: path,
      remedy: '`pinectl refs` lists what is there; take another name or delete that one',
    });
  }
}

/** Takes a ref away, durably; the commit stays. */
export async function deleteRef(repository: Repository, ref: string): Promise<void> {
  const path = join(repository.path, refPath(ref));
  await rm(path, { force: true });
  await repository.durability.sync(dirname(path));
}

/** Makes a name durable, and the names of the folders that were made for it: `first` is the topmost. */
async function syncUp(
  repository: Repository,
  folder: string,
  first: string | undefined,
): Promise<void> {
  await repository.durability.sync(folder);
  if (first === undefined) return;
  for (let above = dirname(folder); above.length >= dirname(first).length; above = dirname(above)) {
    await repository.durability.sync(above);
  }
}

async function* walk(folder: string, prefix: string): AsyncGenerator<string> {
  for (const entry of (await readFolder(folder)).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = `${prefix}${entry.name}`;
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) yield* walk(join(folder, entry.name), `${name}/`);
    else yield name;
  }
}

async function names(folder: string): Promise<string[]> {
  return (await readFolder(folder)).filter((e) => e.isDirectory()).map((e) => e.name);
}

async function readFolder(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function readIfFile(path: string): Promise<string | undefined> {
  try {
    return (await nodeFileSystem.readFile(path, 4096))?.toString('latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return undefined;
    throw error;
  }
}
