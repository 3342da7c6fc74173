import { PineError } from '../error.ts';
import { type Commit, metadataValue } from './commit-object.ts';
import type { Variant } from './gvariant/variant.ts';

/** Size in bytes and SHA-256 (hex) of something that a commit promises: its image, its plan. */
export interface Promised {
  readonly size: number;
  readonly sha256: string;
}

/** What a commit promises of its image: `pine.image.1`. `undefined` when it has none. */
export function promisedImage(commit: Commit): Promised | undefined {
  return promised(commit, 'pine.image.1');
}

/** What a commit promises of its full plan: `pine.plan.1`. `undefined` when it has none. */
export function promisedPlan(commit: Commit): Promised | undefined {
  return promised(commit, 'pine.plan.1');
}

/** The least `compatibility` of a boot loader that starts this commit; `undefined`: not bootable. */
export function bootCompatibility(commit: Commit): number | undefined {
  const found = metadataValue(commit.metadata, 'pine.boot-compat');
  if (found === undefined) return undefined;
  if (found.type !== 'u') throw corrupt('pine.boot-compat', 'u', found);
  return found.value as number;
}

/** The value of `pine.image.1` and `pine.plan.1`: `(tay)`. */
export function encodePromised({ size, sha256 }: Promised): Variant {
  return { type: '(tay)', value: [BigInt(size), Buffer.from(sha256, 'hex')] };
}

function promised(commit: Commit, key: string): Promised | undefined {
  const found = metadataValue(commit.metadata, key);
  if (found === undefined) return undefined;
  if (found.type !== '(tay)') throw corrupt(key, '(tay)', found);
  const [size, sha256] = found.value as readonly [bigint, Uint8Array];
  if (size > BigInt(Number.MAX_SAFE_INTEGER) || sha256.length !== 32) {
    throw corrupt(key, 'a size and 32 bytes', found);
  }
  return { size: Number(size), sha256: Buffer.from(sha256).toString('hex') };
}

function corrupt(key: string, expected: string, found: Variant): PineError {
  return new PineError('CORRUPT_COMMIT_METADATA', `a commit's ${key} can't be read`, {
    expected,
    found: `type ${found.type}`,
    where: key,
    remedy: 'commit the tree again; do not use this commit',
  });
}
