import { lockForWriting } from '../../repo/lock.ts';
import type { Repository } from '../../repo/repository.ts';
import { decodeSummary } from '../../repo/summary.ts';
import { writeSummary } from '../../repo/write-summary.ts';
import { fileName } from '../file-name.ts';
import type { RemoteRepository } from '../remote-repository.ts';

/**
 * Takes over the remote's summary with its signatures, which nobody else can make, when it says just what came: `refs`
 * and their commits. One that is out of date is not taken. Says whether it was.
 */
export async function mirrorSummary(
  remote: RemoteRepository,
  repository: Repository,
  refs: Readonly<Record<string, string>>,
): Promise<boolean> {
  const summary = await remote.fetchSummary();
  if (summary === undefined) return false;
  const told = decodeSummary(summary, fileName(remote.name, 'summary'));
  const isCurrent =
    told.size === Object.keys(refs).length &&
    [...told].every(([ref, commit]) => refs[ref] === commit);
  if (!isCurrent) return false;
  const signatures = await remote.fetchSummarySignatures();
  const lock = await lockForWriting(repository);
  try {
    await writeSummary(repository, summary, signatures);
  } finally {
    await lock.release();
  }
  return true;
}
