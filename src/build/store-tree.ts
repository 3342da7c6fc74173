import type { Progress } from '../ports/progress.ts';
import type { FileHeader } from '../repo/file-header.ts';
import type { Threads } from '../repo/threads/threads.ts';
import type { Transaction } from '../repo/transaction.ts';
import { FileObjectWriter, writeLinkObject } from '../repo/write-file-object.ts';
import type { TreeObject } from '../repo/write-tree.ts';
import type { MeasuredTree } from './measure.ts';
import { checkRepositorySpace } from './repository-space.ts';
import type { SourceFile } from './source-node.ts';

/** How many objects a commit has, and how many of them were not there before. */
export interface StoreStatistics {
  readonly metadataTotal: number;
  readonly metadataWritten: number;
  readonly contentTotal: number;
  readonly contentWritten: number;
  /** Plain bytes of the content objects written. */
  readonly contentBytesWritten: number;
}

/**
 * Writes all objects of a tree that are not there into a transaction. Throws SPACE_REPOSITORY before
 * anything is written when they could run out of room (S10).
 */
export async function storeTree(
  transaction: Transaction,
  tree: MeasuredTree,
  directories: readonly TreeObject[],
  threads: Threads,
  progress: Progress = () => {},
): Promise<StoreStatistics> {
  const isNew = ([checksum]: readonly [string, unknown]) => !transaction.has(checksum, 'filez');
  const files = [...tree.files].filter(isNew);
  const links = [...tree.links].filter(isNew);
  const objects = new Map(directories.map((object) => [object.checksum + object.kind, object]));
  const newObjects = [...objects.values()].filter(
    ({ checksum, kind }) => !transaction.has(checksum, kind),
  );
  await checkRepositorySpace(transaction.repository.path, [
    ...files.map(([, file]) => file.content.size),
    ...links.map(() => 0),
    ...newObjects.map(({ bytes }) => bytes.length),
  ]);

  let bytes = 0;
  let filesWritten = 0;
  const total = files.reduce((sum, [, file]) => sum + file.content.size, 0);
  for (const [checksum, link] of links) {
    writeLinkObject(transaction.claimAnyway(checksum, 'filez'), { ...link, size: 0 });
  }
  for (const { checksum, kind, bytes: object } of newObjects) {
    transaction.addMetadataObject(object, kind, checksum);
  }
  const writer = new FileObjectWriter(threads);
  // The largest first, so that no thread is left over with one at the end.
  for (const [checksum, file] of files.toSorted(bySizeDown)) {
    const path = transaction.claimAnyway(checksum, 'filez');
    const { size } = file.content;
    const header: FileHeader = { ...file, size, target: '' };
    const content = file.content.open;
    await writer.add({ path, checksum, header, content }, () => {
      filesWritten += 1;
      bytes += size;
      progress(bytes, total, 'Storing');
    });
  }
  await writer.finish();
  return {
    metadataTotal: objects.size,
    metadataWritten: newObjects.length,
    contentTotal: tree.files.size + tree.links.size,
    contentWritten: links.length + filesWritten,
    contentBytesWritten: bytes,
  };
}

function bySizeDown([, a]: [string, SourceFile], [, b]: [string, SourceFile]): number {
  return b.content.size - a.content.size;
}
