import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

/**
 * Makes the folder for what is not finished, and removes what a pinectl that was killed left there (S7). Whoever calls this
 * holds the lock for writing. Gives its path.
 */
export async function emptyTemporary(repository: Repository): Promise<string> {
  const folder = join(repository.path, 'tmp');
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (name.startsWith('pine-')) await rm(join(folder, name), { recursive: true });
  }
  return folder;
}
