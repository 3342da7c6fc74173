import { createReadStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { imageBytes } from '../plan/image-bytes.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { bytesReader } from '../ports/positioned-reader.ts';
import type { Progress } from '../ports/progress.ts';
import { objectsOf } from '../repo/file-object.ts';
import { lockForWriting } from '../repo/lock.ts';
import type { Repository } from '../repo/repository.ts';
import { checkMakes } from './check-delta.ts';
import { imageOfCommit, withPlan } from './commit-image.ts';
import { openDelta } from './decode/delta-file.ts';
import { nothing } from './delta-path.ts';
import { encodeFull } from './encode/full-delta.ts';
import { checkDeltaSpace, type GeneratedDelta, type GenerateOptions } from './generate.ts';
import { scratchFile } from './recompress/scratch.ts';
import { renewIndexes } from './renew-indexes.ts';
import { signDelta } from './sign-delta.ts';
import { signaturesOf } from './signed-by.ts';
import { publishDelta } from './store.ts';

/**
 * Makes the delta that needs no other image, applies it, and puts it into the repository only when it made the right
 * one. Takes room for it twice; the memory does not depend on the image's size.
 *
 * Throws STATE_LOCKED, NOT_FOUND_IMAGE, NOT_FOUND_PLAN, SPACE_REPOSITORY.
 */
export async function generateFullDelta(
  repository: Repository,
  commit: string,
  { keys, progress, effort }: GenerateOptions,
): Promise<GeneratedDelta> {
  const to = await imageOfCommit(repository, commit);
  const lock = await lockForWriting(repository);
  const temporary = join(repository.path, 'tmp');
  const literals = join(temporary, 'pine-delta-new');
  try {
    await mkdir(temporary, { recursive: true });
    await checkDeltaSpace(temporary, 2 * to.image.size);
    const { header, payload } = await withPlan(repository, commit, (plan) => {
      const image = imageBytes({ segments: plan.segments(), objects: objectsOf(repository) });
      return encodeFull(to, counted(image, to.image.size, progress), literals, effort);
    });
    const ends = { from: nothing, to: commit };
    const earlier = await signaturesOf(repository, ends, header);
    const pieces = async function* (): AsyncGenerator<Uint8Array> {
      yield* await signDelta({ header, payload }, keys, earlier);
      yield* createReadStream(literals);
    };
    const size = await publishDelta(repository, ends, pieces(), async (path) => {
      const file = await nodeBlockDevice(path).open('read');
      try {
        const delta = await openDelta(file, undefined, 'the new delta');
        const scratch = scratchFile(nodeFileSystem, join(temporary, 'pine-delta-scratch'));
        await checkMakes(delta, bytesReader(new Uint8Array()), to, scratch);
      } finally {
        await file.close();
      }
    });
    await renewIndexes(repository);
    return { ...ends, size, contributions: [] };
  } finally {
    await rm(literals, { force: true });
    await lock.release();
  }
}

async function* counted(
  image: AsyncIterable<Uint8Array>,
  size: number,
  progress: Progress | undefined,
): AsyncGenerator<Uint8Array> {
  let done = 0;
  for await (const bytes of image) {
    yield bytes;
    done += bytes.length;
    progress?.(done, size, 'compressing');
  }
}
