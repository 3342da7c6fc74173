import { encodeDetachedMetadata, withSignatures } from '../repo/detached-metadata.ts';
import { lockForWriting } from '../repo/lock.ts';
import { listRefs } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { encodeSummary, type SummaryRef } from '../repo/summary.ts';
import { writeSummary } from '../repo/write-summary.ts';
import type { SecretKey } from '../trust/keys.ts';

/**
 * Writes `summary`, which names the refs of refs/heads for clients that can't list a folder, and its
 * signatures; without keys there are none, not the old ones. `now` is in seconds. Throws STATE_LOCKED.
 */
export async function updateSummary(
  repository: Repository,
  keys: readonly SecretKey[],
  now: number,
): Promise<ReadonlyMap<string, SummaryRef>> {
  const lock = await lockForWriting(repository);
  try {
    const refs = await describeRefs(repository);
    const bytes = encodeSummary(refs, now);
    await writeSummary(repository, bytes, await sign(bytes, keys));
    return refs;
  } finally {
    await lock.release();
  }
}

async function describeRefs(repository: Repository): Promise<Map<string, SummaryRef>> {
  const refs = new Map<string, SummaryRef>();
  for (const [ref, commit] of await listRefs(repository)) {
    if (ref.includes(':')) continue;
    const size = (await repository.readMetadataObject(commit, 'commit')).length;
    const { timestamp } = await repository.readCommit(commit);
    refs.set(ref, { commit, size, timestamp });
  }
  return refs;
}

async function sign(bytes: Buffer, keys: readonly SecretKey[]): Promise<Buffer | undefined> {
  if (keys.length === 0) return undefined;
  const { signCommit } = await import('../trust/sign.ts');
  const signatures = await Promise.all(keys.map((key) => signCommit(bytes, key)));
  return encodeDetachedMetadata(withSignatures([], signatures));
}
