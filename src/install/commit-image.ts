import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import { bootCompatibility, promisedImage } from '../repo/pine-metadata.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';

/** A commit that has an image. */
export interface CommitImage {
  readonly commit: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly image: Digest;
  /** The least `compatibility` of a boot loader that starts it; `undefined`: not bootable. */
  readonly bootCompatibility: number | undefined;
}

/** Looks a ref or checksum up. Throws NOT_FOUND_COMMIT, and NOT_FOUND_IMAGE for a commit without image. */
export async function findCommitImage(repository: Repository, name: string): Promise<CommitImage> {
  const commit = await resolveCommit(repository, name);
  const object = await repository.readCommit(commit);
  const image = promisedImage(object);
  if (image === undefined) {
    throw new PineError('NOT_FOUND_IMAGE', 'this commit has no image', {
      expected: 'a commit that pinectl made, with pine.image.1 in its metadata',
      found: 'none',
      where: `commit ${commit}`,
      remedy: 'commit the tree with `pinectl commit`',
    });
  }
  const { timestamp } = object;
  return { commit, timestamp, image, bootCompatibility: bootCompatibility(object) };
}
