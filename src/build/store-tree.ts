import type { Progress } from '../ports/progress.ts';
import type { FileHeader } from '../repo/file-header.ts';
import type { Threads } from '../repo/threads/threads.ts';
import type { Transaction } from '../repo/transaction.ts';
import { FileObjectWriter, writeLinkObject } from '../repo/write-file-object.ts';
import type { TreeObject } from '../repo/write-tree.ts';
import type { MeasuredTree } from './measure.ts';
import type { SourceFile } from './source-tree.ts';

/** How many objects a commit has, and how many of them were not there before. */
export interface StoreStatistics {
  readonly metadataTotal: number;
  readonly metadataWritten: number;
  readonly contentTotal: number;
  readonly contentWritten: number;
  /** Plain bytes of the content objects written. */
  readonly contentBytesWritten: number;
}

/** The files of a tree that a repository lacks: what has to be deflated. */
export function newFiles(tree: MeasuredTree, transaction: Transaction): [string, SourceFile][] {
  return [...tree.files].filter(([checksum]) => !transaction.has(checksum, 'filez'));
}

/** Writes all objects of a tree that are not there into a transaction. */
export async function storeTree(
  transaction: Transaction,
  tree: MeasuredTree,
  directories: readonly TreeObject[],
  threads: Threads,
  progress: Progress = () => {},
): Promise<StoreStatistics> {
  let contentWritten = 0;
  let metadataWritten = 0;
  let bytes = 0;
  const files = newFiles(tree, transaction);
  const total = files.reduce((sum, [, file]) => sum + file.content.size, 0);
  for (const [checksum, link] of tree.links) {
    const path = transaction.claim(checksum, 'filez');
    if (path === undefined) continue;
    writeLinkObject(path, { ...link, size: 0 });
    contentWritten += 1;
  }
  for (const { checksum, kind, bytes: object } of directories) {
    if (transaction.addMetadataObject(object, kind, checksum)) metadataWritten += 1;
  }
  const writer = new FileObjectWriter(threads);
  // The largest first, so that no thread is left over with one at the end.
  for (const [checksum, file] of files.toSorted(bySizeDown)) {
    const path = transaction.claim(checksum, 'filez');
    if (path === undefined) continue;
    const { size } = file.content;
    const header: FileHeader = { ...file, size, target: '' };
    const content = file.content.open;
    await writer.add({ path, checksum, header, content }, () => {
      contentWritten += 1;
      bytes += size;
      progress(bytes, total, 'Storing');
    });
  }
  await writer.finish();
  return {
    metadataTotal: new Set(directories.map(({ checksum, kind }) => checksum + kind)).size,
    metadataWritten,
    contentTotal: tree.files.size + tree.links.size,
    contentWritten,
    contentBytesWritten: bytes,
  };
}

function bySizeDown([, a]: [string, SourceFile], [, b]: [string, SourceFile]): number {
  return b.content.size - a.content.size;
}
