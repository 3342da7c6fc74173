import { existsSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Repository } from './repository.ts';

/** Why objects of a commit may be missing: a pull has not brought them yet, or fsck found damage. */
export type PartialReason = 'pull' | 'fsck';

/**
 * Commits that are there without all that they lead to have a file `state/COMMIT.commitpartial`,
 * as with ostree: its fsck, pull and prune know it. It is empty after a pull and holds `f` after an fsck.
 */
function markFile(repository: Repository, commit: string): string {
  return join(repository.path, 'state', `${commit}.commitpartial`);
}

/** Whether objects of this commit may be missing. */
export function isPartial(repository: Repository, commit: string): boolean {
  return existsSync(markFile(repository, commit));
}

/** Why objects of this commit may be missing; `undefined` when it is not marked. */
export function partialReason(repository: Repository, commit: string): PartialReason | undefined {
  if (!isPartial(repository, commit)) return undefined;
  return readFileSync(markFile(repository, commit), 'latin1') === 'f' ? 'fsck' : 'pull';
}

/** Marks a commit, durably, before it gets its name (S6). A mark that is there stays as it is. */
export async function markPartial(
  repository: Repository,
  commit: string,
  reason: PartialReason = 'pull',
): Promise<void> {
  if (isPartial(repository, commit)) return;
  const path = markFile(repository, commit);
  await writeFile(path, reason === 'fsck' ? 'f' : '');
  await repository.durability.sync(path);
  await repository.durability.sync(join(repository.path, 'state'));
}

/** Takes the mark away, once all objects have their names durably. */
export async function markWhole(repository: Repository, commit: string): Promise<void> {
  if (!isPartial(repository, commit)) return;
  await rm(markFile(repository, commit), { force: true });
  await repository.durability.sync(join(repository.path, 'state'));
}
