import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

/**
 * Commits that are there without all that they lead to have an empty file `state/COMMIT.commitpartial`,
 * as with ostree: its fsck, pull and prune know it.
 */
function markFile(repository: Repository, commit: string): string {
  return join(repository.path, 'state', `${commit}.commitpartial`);
}

/** Whether objects of this commit may be missing. */
export function isPartial(repository: Repository, commit: string): boolean {
  return existsSync(markFile(repository, commit));
}

/** Marks a commit, durably, before it gets its name (S6). */
export async function markPartial(repository: Repository, commit: string): Promise<void> {
  const path = markFile(repository, commit);
  await writeFile(path, '');
  await repository.durability.sync(path);
  await repository.durability.sync(join(repository.path, 'state'));
}

/** Takes the mark away, once all objects have their names durably. */
export async function markWhole(repository: Repository, commit: string): Promise<void> {
  if (!isPartial(repository, commit)) return;
  await rm(markFile(repository, commit), { force: true });
  await repository.durability.sync(join(repository.path, 'state'));
}
