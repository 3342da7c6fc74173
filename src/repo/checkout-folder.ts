import { lstatSync } from 'node:fs';
import { mkdir, rm, rmdir } from 'node:fs/promises';
import { PineError } from '../error.ts';
import type { CheckoutEntry } from './checkout-entries.ts';

/** Makes the folder; `false` when it was there, which only `union` allows. */
export async function makeFolder(folder: string, union: boolean): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (union && lstatSync(folder).isDirectory()) return false;
    throw new PineError('STATE_FOLDER_EXISTS', 'a commit is checked out into a new folder', {
      expected: union ? 'a folder, or a path that nothing has yet' : 'a path that nothing has yet',
      found: 'something',
      where: folder,
      remedy: 'give another path, remove what is there, or add --union to a folder',
    });
  }
}

/** Removes what was written, after it failed. */
export async function removeAdded(
  folder: string,
  isNew: boolean,
  added: readonly CheckoutEntry[],
): Promise<void> {
  if (isNew) return rm(folder, { recursive: true, force: true });
  for (const { written, node } of added.toReversed()) {
    const path = `${folder}/${written}`;
    // Somebody else's file in a directory of ours stays, and the directory with it.
    if (node.kind === 'directory') await rmdir(path).catch(() => {});
    else await rm(path, { force: true });
  }
}
