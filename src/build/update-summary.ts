import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeDetachedMetadata, withSignatures } from '../repo/detached-metadata.ts';
import { lockForWriting } from '../repo/lock.ts';
import { listRefs } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { encodeSummary, type SummaryRef } from '../repo/summary.ts';
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
    // Signatures of another summary must not stand beside this one at any time.
    await rm(join(repository.path, 'summary.sig'), { force: true });
    await replace(repository, 'summary', bytes);
    if (keys.length > 0) {
      const { signCommit } = await import('../trust/sign.ts');
      const signatures = await Promise.all(keys.map((key) => signCommit(bytes, key)));
      const signed = encodeDetachedMetadata(withSignatures([], signatures));
      await replace(repository, 'summary.sig', signed);
    }
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

async function replace(repository: Repository, name: string, bytes: Uint8Array): Promise<void> {
  const temporary = join(repository.path, 'tmp', `pine-${name}`);
  await writeFile(temporary, bytes);
  await repository.durability.sync(temporary);
  await rename(temporary, join(repository.path, name));
  await repository.durability.sync(repository.path);
}
