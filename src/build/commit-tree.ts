import { createHash } from 'node:crypto';
import { encodeTrailer } from '../image/trailer.ts';
import { encodePlan } from '../plan/plan-file.ts';
import { encodeCommit } from '../repo/commit-object.ts';
import { checkMovable } from '../repo/move-ref.ts';
import { checkRefName } from '../repo/ref-name.ts';
import { readRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { type Threads, withThreads } from '../repo/threads/threads.ts';
import { Transaction } from '../repo/transaction.ts';
import { encodeTree, type TreeObject } from '../repo/write-tree.ts';
import { checkFits } from './bootable/fit.ts';
import { checkGrubReach } from './bootable/grub-reach.ts';
import { commitMetadata, signDetached } from './commit-metadata.ts';
import type { CommitOptions, CommitResult } from './commit-options.ts';
import { type MeasuredTree, measureTree } from './measure.ts';
import { type MeasuredImage, measureImage } from './measure-image.ts';
import { checkParentAccounts } from './parent-accounts.ts';
import { sourceSize } from './source-size.ts';
import type { SourceTree } from './source-tree.ts';
import { storeTree } from './store-tree.ts';
import { unchangedSince } from './unchanged.ts';

/**
 * Commits a tree: everything is checked and hashed first, then what is new is stored, and the ref
 * moves last. A failure or a kill at any point leaves the repository as it was (S7).
 *
 * The tree gets what `bootable` adds. Throws INPUT_…, SPACE_… before anything is written; STATE_LOCKED.
 */
export async function commitTree(
  repository: Repository,
  tree: SourceTree,
  options: CommitOptions,
): Promise<CommitResult> {
  for (const ref of [options.ref, ...(options.bindRefs ?? [])]) checkRefName(ref);
  checkMovable(options.ref);
  const transaction = await Transaction.begin(repository);
  try {
    return await commitIn(transaction, tree, options);
  } finally {
    await transaction.close();
  }
}

async function commitIn(
  transaction: Transaction,
  tree: SourceTree,
  options: CommitOptions,
): Promise<CommitResult> {
  const { repository } = transaction;
  const parent = await findParent(repository, options);
  await makeBootable(repository, tree, parent, options);
  const size = sourceSize(tree.root);
  return withThreads(size, (threads) =>
    commitOnThreads(transaction, { tree, size, parent }, options, threads),
  );
}

async function commitOnThreads(
  transaction: Transaction,
  { tree, size, parent }: { tree: SourceTree; size: number; parent: string | undefined },
  options: CommitOptions,
  threads: Threads,
): Promise<CommitResult> {
  const { repository } = transaction;
  const { ref, progress, timestamp } = options;
  const notes: string[] = [];
  const {
    tree: measured,
    layout,
    image,
  }: Partial<MeasuredImage> & { tree: MeasuredTree } = options.image
    ? await measureImage(tree.root, timestamp, threads, progress, (size) =>
        notes.push(...checkSlots(size, options)),
      )
    : { tree: await measureTree(tree.root, threads, progress) };
  if (options.bootable !== undefined) checkGrubReach(measured.root);
  const directories: TreeObject[] = [];
  const root = encodeTree(measured.root, (object) => directories.push(object));
  if (parent !== undefined && options.skipIfUnchanged) {
    const same = await unchangedSince(repository, parent, root, options);
    if (same !== undefined) return { ...same, parent, root, notes };
  }
  const stored = await storeTree(transaction, measured, directories, threads, progress);
  const commit = encodeCommit({
    metadata: commitMetadata(options, layout, image),
    parent,
    related: [],
    subject: options.subject ?? '',
    body: options.body ?? '',
    timestamp,
    rootTree: root.tree,
    rootMeta: root.meta,
  });
  const checksum = createHash('sha256').update(commit).digest('hex');
  const detached = await signDetached(repository, checksum, commit, options.signKeys ?? []);
  if (layout !== undefined) {
    // Throws when the commit does not fit into a slot's trailer.
    encodeTrailer({ imageSize: layout.size, commit, detachedMetadata: detached ?? Buffer.of() });
    transaction.addBeside(checksum, 'plan', encodePlan(layout));
  }
  if (detached !== undefined) transaction.addBeside(checksum, 'commitmeta', [detached]);
  transaction.addMetadataObject(commit, 'commit', checksum);
  transaction.setRef(ref, checksum);
  await transaction.commit();
  const saved = size - stored.contentBytesWritten;
  const statistics = { ...stored, contentBytesTotal: size, contentBytesSaved: saved };
  return { commit: checksum, unchanged: false, parent, root, image, statistics, notes };
}

async function findParent(
  repository: Repository,
  { parent, ref }: CommitOptions,
): Promise<string | undefined> {
  if (parent === 'none') return undefined;
  return parent === undefined ? readRef(repository, ref) : resolveCommit(repository, parent);
}

async function makeBootable(
  repository: Repository,
  tree: SourceTree,
  parent: string | undefined,
  { bootable }: CommitOptions,
): Promise<void> {
  if (bootable === undefined) return;
  const allowed = bootable.allowIdChange ?? false;
  if (parent !== undefined) await checkParentAccounts(repository, parent, tree, allowed);
  const { prepareBootable } = await import('./bootable/prepare.ts');
  await prepareBootable(tree, bootable);
}

function checkSlots(size: number, { slots = [] }: CommitOptions): string[] {
  return slots.flatMap(({ name, slotSize }) => {
    const { warning } = checkFits(size, slotSize, name);
    return warning === undefined ? [] : [warning];
  });
}
