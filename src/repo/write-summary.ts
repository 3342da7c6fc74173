import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

/**
 * Puts a summary into a repository, and its signatures; without them there are none, not the old ones. Whoever
 * calls this holds the repository's lock.
 */
export async function writeSummary(
  repository: Repository,
  summary: Uint8Array,
  signatures: Uint8Array | undefined,
): Promise<void> {
  // Signatures of another summary must not stand beside this one at any time.
  await rm(join(repository.path, 'summary.sig'), { force: true });
  await replace(repository, 'summary', summary);
  if (signatures !== undefined) await replace(repository, 'summary.sig', signatures);
}

async function replace(repository: Repository, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(repository.path, 'tmp', `pine-${name}`);
  await writeFile(temporary, bytes);
  await repository.durability.sync(temporary);
  await rename(temporary, join(repository.path, name));
  await repository.durability.sync(repository.path);
}
