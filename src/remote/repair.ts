import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { PineError } from '../error.ts';
import type { ByteSource } from '../ports/byte-source.ts';
import type { Progress } from '../ports/progress.ts';
import { checkRepository, type FsckProblem, type FsckReport } from '../repo/fsck.ts';
import { type MarkedDamage, markDamage } from '../repo/mark-damage.ts';
import { readRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { Transaction } from '../repo/transaction.ts';
import { receiveFileObject } from './pull/receive-file-object.ts';
import { RemoteRepository } from './remote-repository.ts';

export interface RepairOptions {
  /** A repository that has the same objects; `undefined`: only plans can be made again. */
  readonly source: ByteSource | undefined;
  /** Puts a lost plan back, out of the repository itself. */
  readonly remakePlan: (repository: Repository, commit: string) => Promise<void>;
  readonly progress?: Progress;
}

/** What a repair did, and what is left to do. */
export interface RepairResult extends MarkedDamage {
  /** What is still damaged or missing. */
  readonly report: FsckReport;
  /** What was put back, as `CHECKSUM.kind`. */
  readonly repaired: readonly string[];
}

/**
 * Checks a repository, and puts back what is damaged or missing: objects from a remote, each checked
 * against its name before it takes the place of the damaged one; plans from the objects. Again and
 * again, since what a missing object leads to shows only when it is there. What can't be put back is
 * dropped, and its commits are marked: see `markDamage`. Throws STATE_LOCKED, REMOTE_….
 */
export async function repairRepository(
  repository: Repository,
  options: RepairOptions,
): Promise<RepairResult> {
  const { report, repaired } = await putBack(repository, options);
  const isSettled = report.problems.length === 0 && report.marked === 0;
  const left = isSettled
    ? { dropped: [], marked: [] }
    : await markDamage(repository, report.problems);
  return { report, repaired, ...left };
}

async function putBack(
  repository: Repository,
  options: RepairOptions,
): Promise<{ report: FsckReport; repaired: readonly string[] }> {
  const repaired: string[] = [];
  const tried = new Set<string>();
  for (;;) {
    const report = await checkRepository(repository, options.progress);
    const untried = report.problems.filter(({ kind, name }) => !tried.has(`${name}.${kind}`));
    const objects = untried.filter(({ kind }) => kind !== 'plan');
    // Plans follow from objects: they are made when all are there that can be had.
    const open = objects.length > 0 ? objects : untried;
    if (open.length === 0) return { report, repaired };
    for (const { kind, name } of open) tried.add(`${name}.${kind}`);
    if (objects.length > 0) {
      repaired.push(...(await repairObjects(repository, objects, options.source)));
      continue;
    }
    for (const { name } of open) {
      if (await works(() => options.remakePlan(repository, name))) repaired.push(`${name}.plan`);
    }
  }
}

async function repairObjects(
  repository: Repository,
  objects: readonly FsckProblem[],
  source: ByteSource | undefined,
): Promise<string[]> {
  if (source === undefined) return [];
  const remote = new RemoteRepository(source);
  await remote.checkMode();
  const repaired: string[] = [];
  const transaction = await Transaction.begin(repository);
  try {
    for (const problem of objects) {
      const name = `${problem.name}.${problem.kind}`;
      if (await works(() => fetchAgain(remote, transaction, problem))) repaired.push(name);
    }
    await transaction.commit();
  } finally {
    await transaction.close();
  }
  return repaired;
}

async function fetchAgain(
  remote: RemoteRepository,
  transaction: Transaction,
  { kind, name }: FsckProblem,
): Promise<void> {
  if (kind === 'filez') await receiveFileObject(remote, transaction, name, true);
  if (kind === 'dirtree' || kind === 'dirmeta') {
    const object = await remote.fetchMetadataObject(name, kind);
    writeFileSync(transaction.claimAnyway(name, kind), object);
  }
  if (kind === 'commit') await fetchCommitAgain(remote, transaction, name);
  // A ref is wrong when its commit is missing.
  const target = kind === 'ref' ? await readRef(transaction.repository, name) : undefined;
  if (target !== undefined) await fetchCommitAgain(remote, transaction, target);
}

async function fetchCommitAgain(
  remote: RemoteRepository,
  transaction: Transaction,
  checksum: string,
): Promise<void> {
  const { commit, detachedMetadata } = await remote.fetchCommit(checksum);
  const found = createHash('sha256').update(commit).digest('hex');
  if (found !== checksum) {
    throw new PineError('CORRUPT_OBJECT', 'a commit is not what its name says', {
      expected: `SHA-256 ${checksum}`,
      found,
      where: `${remote.name}, ${checksum}.commit`,
      remedy: 'run `pinectl fsck` on the repository it comes from',
    });
  }
  writeFileSync(transaction.claimAnyway(checksum, 'commit'), commit);
  if (detachedMetadata !== undefined) {
    transaction.addBeside(checksum, 'commitmeta', [detachedMetadata]);
  }
}

/** Whether it worked. What is damaged or missing there too is left; a remote that is gone is an error. */
async function works(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof PineError && /^(NOT_FOUND|CORRUPT)_/.test(error.code)) return false;
    throw error;
  }
}
