import { boundRefs } from '../repo/commit-object.ts';
import { promisedImage } from '../repo/pine-metadata.ts';
import type { Repository } from '../repo/repository.ts';
import type { RootChecksums } from '../repo/write-tree.ts';
import { bindingOf } from './commit-metadata.ts';
import type { CommitOptions, CommitResult } from './commit-options.ts';

/** What is reported in place of a new commit that would say nothing new; `undefined` when it would. */
export async function unchangedSince(
  repository: Repository,
  parent: string,
  root: RootChecksums,
  options: CommitOptions,
): Promise<Pick<CommitResult, 'commit' | 'unchanged' | 'image' | 'statistics'> | undefined> {
  const before = await repository.readCommit(parent);
  const image = promisedImage(before);
  const isSame =
    before.rootTree === root.tree &&
    before.rootMeta === root.meta &&
    (image !== undefined) === options.image &&
    boundRefs(before)?.join() === bindingOf(options).join();
  if (!isSame) return undefined;
  const statistics = {
    metadataTotal: 0,
    metadataWritten: 0,
    contentTotal: 0,
    contentWritten: 0,
    contentBytesWritten: 0,
    contentBytesTotal: 0,
    contentBytesSaved: 0,
  };
  return { commit: parent, unchanged: true, image, statistics };
}
