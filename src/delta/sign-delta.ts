import type { SecretKey } from '../trust/keys.ts';
import type { UnsignedDelta } from './encode/compress.ts';

/** The file of a delta, in pieces: its header, the signatures of it (there may be none), its payload. */
export async function signDelta(
  { header, payload }: UnsignedDelta,
  keys: readonly SecretKey[],
): Promise<Uint8Array[]> {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(keys.length);
  if (keys.length === 0) return [header, count, ...payload];
  const { signCommit } = await import('../trust/sign.ts');
  const signatures = await Promise.all(keys.map((key) => signCommit(header, key)));
  return [header, count, ...signatures, ...payload];
}
