import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../error.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import type { Progress } from '../ports/progress.ts';
import { lockForWriting } from '../repo/lock.ts';
import type { Repository } from '../repo/repository.ts';
import type { SecretKey } from '../trust/keys.ts';
import { checkDelta } from './check-delta.ts';
import { imageOfCommit } from './commit-image.ts';
import type { Effort } from './encode/compress.ts';
import type { Contribution } from './encode/delta-encoder.ts';
import { encodeDelta } from './encode/encode-delta.ts';
import { decodeHeader } from './format/header.ts';
import { scratchFile } from './recompress/scratch.ts';
import { renewIndexes } from './renew-indexes.ts';
import { signDelta } from './sign-delta.ts';
import { signaturesOf } from './signed-by.ts';
import { publishDelta } from './store.ts';
import { withPlannedImage } from './with-planned-image.ts';

export interface GenerateOptions {
  readonly keys: readonly SecretKey[];
  readonly progress?: Progress | undefined;
  /** By default `usual`. */
  readonly effort?: Effort | undefined;
}

export interface GeneratedDelta {
  readonly from: string;
  readonly to: string;
  /** Bytes of the file. */
  readonly size: number;
  readonly contributions: readonly Contribution[];
}

/**
 * Makes the delta between two commits of a repository, applies it, and puts it into the repository only
 * when it made the right image. Takes room for what differs between the images in the repository's tmp/.
 *
 * Throws STATE_LOCKED, NOT_FOUND_IMAGE, NOT_FOUND_PLAN, SPACE_REPOSITORY, CORRUPT_PLAN, CORRUPT_OBJECT.
 */
export async function generateDelta(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
  { keys, ...options }: GenerateOptions,
): Promise<GeneratedDelta> {
  const [from, to] = [
    await imageOfCommit(repository, ends.from),
    await imageOfCommit(repository, ends.to),
  ];
  // Nobody takes objects away, or tidies tmp/, meanwhile.
  const lock = await lockForWriting(repository);
  try {
    const temporary = join(repository.path, 'tmp');
    await mkdir(temporary, { recursive: true });
    await checkDeltaSpace(temporary, from.image.size + to.image.size);
    const path = (name: string): string => join(temporary, `pine-delta-${name}`);
    return await withPlannedImage(repository, from, path('old'), (old) =>
      withPlannedImage(repository, to, path('new'), async (made) => {
        const images = [
          { ...from, reader: old },
          { ...to, reader: made },
        ] as const;
        const { delta, contributions } = await encodeDelta(...images, options);
        await checkDeltaSpace(temporary, decodeHeader(delta.header, 'the new delta').scratch);
        await checkDelta(delta, old, made, scratchFile(nodeFileSystem, path('scratch')));
        const earlier = await signaturesOf(repository, ends, delta.header);
        const size = await publishDelta(repository, ends, await signDelta(delta, keys, earlier));
        await renewIndexes(repository);
        return { ...ends, size, contributions };
      }),
    );
  } finally {
    await lock.release();
  }
}

/** S10: of both images may be written what is in only one of them; a full delta is written twice. */
export async function checkDeltaSpace(folder: string, needed: number): Promise<void> {
  const free = await nodeFileSystem.freeBytes(folder);
  if (needed <= free) return;
  throw new PineError('SPACE_REPOSITORY', 'the repository has not enough room to make a delta', {
    expected: `${needed} bytes for what is written on the way`,
    found: `${free} bytes`,
    where: folder,
    remedy: 'free some space',
  });
}
