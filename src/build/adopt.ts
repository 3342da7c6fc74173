import { PineError } from '../error.ts';
import type { Commit } from '../repo/commit-object.ts';
import { promisedImage } from '../repo/pine-metadata.ts';
import { recipeKey } from '../repo/recipe.ts';
import type { Repository } from '../repo/repository.ts';
import type { CommitOptions } from './commit-options.ts';
import { SourceTree } from './source-tree.ts';
import { commitSource } from './sources/commit-source.ts';

/** The tree of a commit that has no image, and what to commit it with. */
export interface Adoption {
  readonly tree: SourceTree;
  readonly options: Pick<CommitOptions, 'subject' | 'body' | 'timestamp' | 'metadata' | 'image'>;
}

/**
 * Makes ready to commit again what another tool committed: the same tree, time, subject, body and
 * metadata, but for what `commit` writes itself. `pine.adopted-from` says where it came from.
 *
 * Throws STATE_HAS_IMAGE for a commit that needs no adoption, and as `readTree`.
 */
export async function prepareAdoption(repository: Repository, checksum: string): Promise<Adoption> {
  const commit: Commit = await repository.readCommit(checksum);
  if (promisedImage(commit) !== undefined) {
    throw new PineError('STATE_HAS_IMAGE', 'this commit has an image already', {
      expected: 'a commit of the stock `ostree`, or of `commit --no-image`',
      found: 'one with pine.image.1',
      where: `commit ${checksum}`,
      remedy: 'use it as it is; `commit --tree ref=COMMIT` makes another one of its tree',
    });
  }
  const { subject, body, timestamp } = commit;
  const kept = commit.metadata.filter(
    ([key]) => key === recipeKey || !(key.startsWith('pine.') || key === 'ostree.ref-binding'),
  );
  return {
    tree: new SourceTree(await commitSource(repository, checksum)),
    options: {
      subject,
      body,
      timestamp,
      metadata: [...kept, ['pine.adopted-from', { type: 's', value: checksum }]],
      image: true,
    },
  };
}
