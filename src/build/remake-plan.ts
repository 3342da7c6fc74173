import { PineError } from '../error.ts';
import { layOutImage } from '../image/layout.ts';
import { encodePlan } from '../plan/plan-file.ts';
import { promisedPlan } from '../repo/pine-metadata.ts';
import { readTree } from '../repo/read-tree.ts';
import type { Repository } from '../repo/repository.ts';
import { Transaction } from '../repo/transaction.ts';
import { hashPlan } from './image-promise.ts';

/**
 * A commit's plan, made again from the repository, byte for byte. Throws CORRUPT_PLAN when it is not
 * what the commit promises.
 */
export async function makePlanAgain(
  repository: Repository,
  checksum: string,
): Promise<Iterable<Uint8Array>> {
  const commit = await repository.readCommit(checksum);
  const layout = layOutImage(await readTree(repository, checksum), commit.timestamp);
  const expected = promisedPlan(commit)?.sha256;
  const { sha256 } = hashPlan(layout);
  if (expected !== sha256) {
    throw new PineError('CORRUPT_PLAN', 'the plan of this commit cannot be made again', {
      expected: expected === undefined ? 'a commit that promises a plan' : `SHA-256 ${expected}`,
      found: sha256,
      where: `commit ${checksum}`,
      remedy: 'pull the commit again from where it is whole',
    });
  }
  return encodePlan(layout);
}

/** Puts a lost or damaged plan back. Throws CORRUPT_PLAN, STATE_LOCKED; then nothing is written. */
export async function remakePlan(repository: Repository, checksum: string): Promise<void> {
  const plan = await makePlanAgain(repository, checksum);
  const transaction = await Transaction.begin(repository);
  try {
    transaction.addBeside(checksum, 'plan', plan);
    await transaction.commit();
  } finally {
    await transaction.close();
  }
}
