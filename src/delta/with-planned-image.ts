import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { withTemporaryFile } from '../disk/temporary-file.ts';
import { corruptPlan } from '../plan/plan-format.ts';
import { objectsOf } from '../repo/file-object.ts';
import { promisedPlan } from '../repo/pine-metadata.ts';
import type { Repository } from '../repo/repository.ts';
import { withPlan } from './commit-image.ts';
import type { DeltaEnd } from './format/header.ts';
import { PlannedImage } from './planned-image.ts';

/**
 * Lets `use` read a commit's image, of which only that is made (in a new file, removed afterwards). The commit vouches for
 * the plan, and the plan for each object. Throws NOT_FOUND_PLAN, CORRUPT_PLAN, CORRUPT_OBJECT.
 */
export async function withPlannedImage<T>(
  repository: Repository,
  { commit, image }: DeltaEnd,
  path: string,
  use: (image: PlannedImage) => Promise<T>,
): Promise<T> {
  return withPlan(repository, commit, async (plan) => {
    await checkPlan(repository, commit);
    if (plan.imageSize !== image.size) {
      throw corruptPlan(`an image of ${image.size} bytes`, `${plan.imageSize}`, commit);
    }
    return withTemporaryFile(path, image.size, async (file) =>
      use(await PlannedImage.open(plan, file, objectsOf(repository))),
    );
  });
}

/** Throws CORRUPT_PLAN when the plan is not the one that the commit promises. */
async function checkPlan(repository: Repository, commit: string): Promise<void> {
  const path = repository.objectFile(commit, 'plan');
  const promised = promisedPlan(await repository.readCommit(commit));
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece);
  const found = hash.digest('hex');
  if (found === promised?.sha256) return;
  throw corruptPlan(`SHA-256 ${promised?.sha256 ?? 'of the commit: none'}`, found, path);
}
