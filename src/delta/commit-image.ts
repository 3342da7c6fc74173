import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { withTemporaryFile } from '../disk/temporary-file.ts';
import { PineError } from '../error.ts';
import { executePlan } from '../plan/execute.ts';
import { openPlan, type Plan } from '../plan/plan-file.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import type { Progress } from '../ports/progress.ts';
import { objectsOf } from '../repo/file-object.ts';
import { promisedImage } from '../repo/pine-metadata.ts';
import type { Repository } from '../repo/repository.ts';
import type { DeltaEnd } from './format/header.ts';

/** What a commit promises its image to be. Throws NOT_FOUND_IMAGE for a commit without. */
export async function imageOfCommit(repository: Repository, commit: string): Promise<DeltaEnd> {
  const image = promisedImage(await repository.readCommit(commit));
  if (image !== undefined) return { commit, image };
  throw new PineError('NOT_FOUND_IMAGE', 'this commit has no image', {
    expected: 'a commit that pinectl made, with pine.image.1 in its metadata',
    found: 'none',
    where: `commit ${commit}`,
    remedy: 'commit the tree with `pinectl commit`',
  });
}

/** Where a commit's image is written. */
export interface ImageFileOptions {
  readonly path: string;
  readonly progress?: Progress | undefined;
}

/**
 * Writes a commit's image into a new file, lets `use` read it, and removes it. Throws NOT_FOUND_PLAN, and
 * CORRUPT_IMAGE when the repository does not make the image that the commit promises.
 */
export async function withImageFile<T>(
  repository: Repository,
  end: DeltaEnd,
  options: ImageFileOptions,
  use: (image: BlockDevice) => Promise<T>,
): Promise<T> {
  return withTemporaryFile(options.path, end.image.size, async (file) => {
    await writeImage(repository, end, file, options);
    return use(file);
  });
}

async function writeImage(
  repository: Repository,
  { commit, image }: DeltaEnd,
  file: BlockDevice,
  { progress }: ImageFileOptions,
): Promise<void> {
  const { sha256 } = await withPlan(repository, commit, (plan) =>
    executePlan({
      segments: plan.segments(),
      objects: objectsOf(repository),
      size: image.size,
      room: image.size,
      // Of no worth after this process: not flushed.
      target: { read: file.read, write: file.write, flush: async () => {} },
      progress,
    }),
  );
  if (sha256 === image.sha256) return;
  throw new PineError('CORRUPT_IMAGE', 'the repository makes another image than was promised', {
    expected: `SHA-256 ${image.sha256}`,
    found: sha256,
    where: `commit ${commit}`,
    remedy: 'run `pinectl fsck`',
  });
}

/** Opens the full plan of a commit while `use` runs. Throws NOT_FOUND_PLAN. */
export async function withPlan<T>(
  repository: Repository,
  commit: string,
  use: (plan: Plan) => Promise<T>,
): Promise<T> {
  const path = repository.objectFile(commit, 'plan');
  if (!repository.has(commit, 'plan')) {
    throw new PineError('NOT_FOUND_PLAN', 'the repository lacks the plan of this commit', {
      expected: 'the full plan beside the commit',
      found: 'nothing',
      where: path,
      remedy: 'make it again: pinectl plan REF',
    });
  }
  const file = await nodeBlockDevice(path).open('read');
  try {
    return await use(await openPlan(file));
  } finally {
    await file.close();
  }
}
