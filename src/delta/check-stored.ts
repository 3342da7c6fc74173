import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Progress } from '../ports/progress.ts';
import { lockForWriting } from '../repo/lock.ts';
import type { Repository } from '../repo/repository.ts';
import { openDelta } from './decode/delta-file.ts';
import { corruptDelta } from './format/corrupt-delta.ts';
import { fixedHeaderSize, newestVersion } from './format/delta-format.ts';
import { renewIndexes } from './renew-indexes.ts';
import { listDeltas, removeDelta, withStoredDelta } from './store.ts';

type Ends = { readonly from: string; readonly to: string };

/** Throws CORRUPT_DELTA when a delta's file is not that from and to these commits, or not what its hashes say. */
export async function checkStored(
  file: PositionedReader,
  { from, to }: Ends,
  name: string,
): Promise<void> {
  const delta = await openDelta(file, undefined, name);
  const { header } = delta;
  if (header.from.commit !== from || header.to.commit !== to) {
    const found = `one from ${header.from.commit} to ${header.to.commit}`;
    throw corruptDelta(`a delta from ${from} to ${to}, as it is called`, found, name);
  }
  await delta.check();
}

/** Whether a newer pinectl made it, which nobody here can judge. */
async function isOfLaterVersion(file: PositionedReader): Promise<boolean> {
  return file.size >= fixedHeaderSize && (await file.read(8, 4)).readUInt32LE() > newestVersion;
}

/**
 * Every delta of a repository that is not what its name and its hashes say, and why. No signature is asked for; those of a
 * later version are left to whoever made them.
 */
export async function findDamagedDeltas(
  repository: Repository,
  progress: Progress = () => {},
): Promise<(Ends & { readonly error: PineError })[]> {
  const damaged: (Ends & { readonly error: PineError })[] = [];
  const deltas = await listDeltas(repository);
  for (const [index, { from, to }] of deltas.entries()) {
    try {
      await withStoredDelta(repository, { from, to }, async (file, name) => {
        if (!(await isOfLaterVersion(file))) await checkStored(file, { from, to }, name);
      });
    } catch (error) {
      if (!(error instanceof PineError)) throw error;
      damaged.push({ from, to, error });
    }
    progress(index + 1, deltas.length, 'Checking deltas', 'items');
  }
  return damaged;
}

/** Removes those, and gives them. Throws STATE_LOCKED. */
export async function dropDamagedDeltas(
  repository: Repository,
  progress: Progress = () => {},
): Promise<Ends[]> {
  const lock = await lockForWriting(repository);
  try {
    const damaged = await findDamagedDeltas(repository, progress);
    for (const delta of damaged) await removeDelta(repository, delta);
    if (damaged.length > 0) await renewIndexes(repository);
    return damaged;
  } finally {
    await lock.release();
  }
}
