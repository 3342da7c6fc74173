import { open, rm } from 'node:fs/promises';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import { executePlan } from '../plan/execute.ts';
import { openPlan } from '../plan/plan-file.ts';
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

/**
 * Writes a commit's image into a new file, lets `use` read it, and removes it. Throws CORRUPT_IMAGE when
 * the repository does not make the image that the commit promises.
 */
export async function withImageFile<T>(
  repository: Repository,
  end: DeltaEnd,
  path: string,
  use: (image: BlockDevice) => Promise<T>,
  progress?: Progress,
): Promise<T> {
  // What a kill left over; the caller is the only one who writes here.
  await rm(path, { force: true });
  try {
    await makeFile(path, end.image.size);
    const file = await nodeBlockDevice(path).open('write');
    try {
      await writeImage(repository, end, file, progress);
      return await use(file);
    } finally {
      await file.close();
    }
  } finally {
    await rm(path, { force: true });
  }
}

async function writeImage(
  repository: Repository,
  { commit, image }: DeltaEnd,
  file: BlockDevice,
  progress: Progress | undefined,
): Promise<void> {
  const path = repository.objectFile(commit, 'plan');
  if (!repository.has(commit, 'plan')) {
    throw new PineError('NOT_FOUND_PLAN', 'the repository lacks the plan of this commit', {
      expected: 'the full plan beside the commit',
      found: 'nothing',
      where: path,
      remedy: 'make it again: pinectl plan REF',
    });
  }
  const plan = await nodeBlockDevice(path).open('read');
  try {
    const found = await executePlan({
      segments: (await openPlan(plan)).segments(),
      objects: objectsOf(repository),
      size: image.size,
      room: image.size,
      // Of no worth after this process: not flushed.
      target: { read: file.read, write: file.write, flush: async () => {} },
      progress,
    });
    if (found.sha256 === image.sha256) return;
    throw new PineError('CORRUPT_IMAGE', 'the repository makes another image than was promised', {
      expected: `SHA-256 ${image.sha256}`,
      found: found.sha256,
      where: `commit ${commit}`,
      remedy: 'run `pinectl fsck`',
    });
  } finally {
    await plan.close();
  }
}

async function makeFile(path: string, size: number): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
}
