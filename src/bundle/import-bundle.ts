import { hashPlan } from '../build/image-promise.ts';
import { measureTree } from '../build/measure.ts';
import { storeTree } from '../build/store-tree.ts';
import { PineError } from '../error.ts';
import { layOutImage } from '../image/layout.ts';
import { encodePlan } from '../plan/plan-file.ts';
import type { BlockDevice } from '../ports/block-device.ts';
import type { Progress } from '../ports/progress.ts';
import { isPartial, markWhole } from '../repo/partial-commit.ts';
import { promisedPlan } from '../repo/pine-metadata.ts';
import { readRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { type Threads, withThreads } from '../repo/threads/threads.ts';
import { Transaction } from '../repo/transaction.ts';
import { encodeTree, type TreeObject } from '../repo/write-tree.ts';
import type { PublicKey } from '../trust/keys.ts';
import { openDeltas, publishDeltas } from './bundle-deltas.ts';
import type { Bundle } from './bundle-file.ts';
import { withBundleImage } from './bundle-image.ts';
import type { BundleRemote } from './bundle-remote.ts';
import { imageSource } from './image-source.ts';
import { type BundleCommit, readCommit } from './read-commit.ts';

export interface ImportOptions {
  /** One of these must have signed commit and deltas; `undefined`: nothing is asked for. */
  readonly keys: readonly PublicKey[] | undefined;
  /** Moves the ref back, to a commit that is older than the one it names. */
  readonly force: boolean;
  readonly progress?: Progress;
}

/** What an import did. */
export interface ImportResult {
  readonly ref: string;
  readonly commit: string;
  /** Objects that were not there before. */
  readonly objects: number;
  readonly deltas: number;
}

/**
 * Brings the commit of a bundle into a repository, whole: its image is made of a delta, and every object read in that image.
 * The deltas come too. S7: what is cut leaves the ref as it was, and goes on when it is run again.
 *
 * Throws CORRUPT_…, TRUST_…, INPUT_REF_NOT_BOUND, NOT_FOUND_IMAGE, NOT_FOUND_WAY, SPACE_REPOSITORY, STATE_LOCKED.
 */
export async function importBundle(
  repository: Repository,
  bundle: Bundle,
  remote: BundleRemote,
  options: ImportOptions,
): Promise<ImportResult> {
  const offered = await readCommit(bundle, remote, options.keys);
  const { ref, commit: checksum } = bundle;
  await checkAge(repository, ref, offered, options.force);
  const deltas = await openDeltas(bundle, offered, options.keys);
  const transaction = await Transaction.begin(repository);
  let objects = 0;
  try {
    if (!repository.has(checksum, 'commit') || isPartial(repository, checksum)) {
      objects = await withBundleImage(repository, deltas, offered, options.progress, (file) =>
        withThreads(file.size, (threads) =>
          storeImage(transaction, file, offered, options, threads),
        ),
      );
    }
    if (offered.detachedMetadata !== undefined) {
      transaction.addBeside(checksum, 'commitmeta', [offered.detachedMetadata]);
    }
    await transaction.publish();
    await markWhole(repository, checksum);
    // A machine that sees the new ref finds its deltas.
    await publishDeltas(repository, deltas);
    transaction.setRef(ref, checksum);
    await transaction.commit();
  } finally {
    await transaction.close();
  }
  return { ref, commit: checksum, objects, deltas: deltas.length };
}

async function checkAge(
  repository: Repository,
  ref: string,
  { checksum, commit }: BundleCommit,
  force: boolean,
): Promise<void> {
  const present = await readRef(repository, ref);
  if (force || present === undefined || !repository.has(present, 'commit')) return;
  const { timestamp } = await repository.readCommit(present);
  if (commit.timestamp >= timestamp) return;
  throw new PineError('TRUST_OLDER', 'the bundle is older than what the ref names', {
    expected: `a commit of the time of ${present}, or later`,
    found: `commit ${checksum}, ${timestamp - commit.timestamp} s older`,
    where: `the ref ${ref}`,
    remedy: 'to go back on purpose, use --force',
  });
}

/** Stores what an image holds. Says how many objects are new. Throws CORRUPT_IMAGE when it is not the commit's tree. */
async function storeImage(
  transaction: Transaction,
  file: BlockDevice,
  { checksum, commit, object }: BundleCommit,
  { progress }: ImportOptions,
  threads: Threads,
): Promise<number> {
  const measured = await measureTree(await imageSource(file, file.size), threads, progress);
  const directories: TreeObject[] = [];
  const root = encodeTree(measured.root, (each) => directories.push(each));
  if (root.tree !== commit.rootTree || root.meta !== commit.rootMeta) {
    throw new PineError('CORRUPT_IMAGE', 'the image is not the tree of its commit', {
      expected: `root ${commit.rootTree}`,
      found: root.tree,
      where: `commit ${checksum}`,
      remedy: 'check the build host: pinectl fsck; commit and make the bundle again',
    });
  }
  const stored = await storeTree(transaction, measured, directories, threads, progress);
  const layout = layOutImage(measured.root, commit.timestamp);
  if (hashPlan(layout).sha256 === promisedPlan(commit)?.sha256) {
    transaction.addBeside(checksum, 'plan', encodePlan(layout));
  }
  transaction.addMetadataObject(object, 'commit', checksum);
  return stored.contentWritten + stored.metadataWritten;
}
