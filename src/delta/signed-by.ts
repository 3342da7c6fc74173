import { join } from 'node:path';
import { nodeBlockDevice } from '../disk/node-block-device.ts';
import { PineError } from '../error.ts';
import type { PositionedReader } from '../ports/positioned-reader.ts';
import type { Repository } from '../repo/repository.ts';
import type { PublicKey } from '../trust/keys.ts';
import { readDeltaStart, readSignatures } from './decode/delta-start.ts';
import { deltaPath } from './delta-path.ts';
import { fixedHeaderSize } from './format/delta-format.ts';
import { headerSize } from './format/header.ts';

type Ends = { readonly from: string; readonly to: string };

/** Whether the beginning of a delta of a repository can be read, its version is known, and it has a signature of each key. */
export function isGoodEnough(
  repository: Repository,
  ends: Ends,
  keys: readonly PublicKey[],
): Promise<boolean> {
  return withStoredDelta(repository, ends, async (file, name) => {
    try {
      await readDeltaStart(file, undefined, name);
      for (const key of keys) await readDeltaStart(file, [key], name);
    } catch (error) {
      const codes = ['TRUST_UNKNOWN_KEY', 'CORRUPT_DELTA'];
      if (error instanceof PineError && codes.includes(error.code)) return false;
      throw error;
    }
    return true;
  });
}

/** Whether a delta of a repository has any signature, right or wrong. Throws CORRUPT_DELTA. */
export function isSigned(repository: Repository, ends: Ends): Promise<boolean> {
  return withStoredDelta(repository, ends, async (file, name) => {
    await readDeltaStart(file, undefined, name);
    const at = headerSize(await file.read(0, fixedHeaderSize), name);
    return (await readSignatures(file, at, name)).length > 0;
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

async function withStoredDelta<T>(
  repository: Repository,
  ends: Ends,
  use: (file: PositionedReader, name: string) => Promise<T>,
): Promise<T> {
  const path = join(repository.path, deltaPath(ends));
  const file = await nodeBlockDevice(path).open('read');
  try {
    return await use(file, path);
  } finally {
    await file.close();
  }
}
