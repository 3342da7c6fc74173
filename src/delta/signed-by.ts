import { PineError } from '../error.ts';
import type { Repository } from '../repo/repository.ts';
import type { PublicKey } from '../trust/keys.ts';
import { checkStored } from './check-stored.ts';
import { readDeltaStart, readSignatures } from './decode/delta-start.ts';
import { withStoredDelta } from './store.ts';

type Ends = { readonly from: string; readonly to: string };

/** Whether a delta of a repository is whole, of a version that is known, and signed by each key. */
export function isGoodEnough(
  repository: Repository,
  ends: Ends,
  keys: readonly PublicKey[],
): Promise<boolean> {
  return withStoredDelta(repository, ends, async (file, name) => {
    try {
      for (const key of keys) await readDeltaStart(file, [key], name);
      await checkStored(file, ends, name);
    } catch (error) {
      const codes = ['TRUST_NO_SIGNATURE', 'TRUST_UNKNOWN_KEY', 'CORRUPT_DELTA'];
      if (error instanceof PineError && codes.includes(error.code)) return false;
      throw error;
    }
    return true;
  });
}

/** Whether a delta of a repository has any signature, right or wrong. Throws CORRUPT_DELTA. */
export function isSigned(repository: Repository, ends: Ends): Promise<boolean> {
  return withStoredDelta(repository, ends, async (file, name) => {
    return (await readDeltaStart(file, undefined, name)).signatures > 0;
  });
}

/** The signatures of a delta of a repository that has this very header; none of another one, or where none can be read. */
export async function signaturesOf(
  repository: Repository,
  ends: Ends,
  header: Uint8Array,
): Promise<Uint8Array[]> {
  try {
    return await withStoredDelta(repository, ends, async (file, name) => {
      const start = await file.read(0, Math.min(header.length, file.size));
      return start.equals(header) ? await readSignatures(file, start.length, name) : [];
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'CORRUPT_DELTA') return [];
    throw error;
  }
}
