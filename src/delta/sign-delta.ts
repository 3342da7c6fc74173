import type { SecretKey } from '../trust/keys.ts';
import type { UnsignedDelta } from './encode/compress.ts';
import { maxSignatures } from './format/delta-format.ts';

/**
 * The file of a delta, in pieces: its header, the signatures of it (there may be none), its payload. `earlier` ones, of the
 * same header, stay, so that keys can change one after the other; the last ones if there are too many.
 */
export async function signDelta(
  { header, payload }: UnsignedDelta,
  keys: readonly SecretKey[],
  earlier: readonly Uint8Array[] = [],
): Promise<Uint8Array[]> {
  const own = await sign(header, keys);
  const added = own.filter((each) => !earlier.some((signature) => isEqual(signature, each)));
  const signatures = [...earlier, ...added].slice(-maxSignatures);
  const count = Buffer.alloc(4);
  count.writeUInt32LE(signatures.length);
  return [header, count, ...signatures, ...payload];
}

async function sign(header: Uint8Array, keys: readonly SecretKey[]): Promise<Uint8Array[]> {
  if (keys.length === 0) return [];
  const { signCommit } = await import('../trust/sign.ts');
  return Promise.all(keys.map((key) => signCommit(header, key)));
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
