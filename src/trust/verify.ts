import { type PublicKey, signatureLength } from './keys.ts';
import { loadSodium } from './sodium.ts';

/** The first of `keys` that made one of `signatures` over `message`; `undefined` when none did. */
export async function findSigner(
  message: Uint8Array,
  signatures: readonly Uint8Array[],
  keys: readonly PublicKey[],
): Promise<PublicKey | undefined> {
  const sodium = await loadSodium();
  for (const signature of signatures) {
    if (signature.length !== signatureLength) continue;
    for (const key of keys) {
      if (sodium.crypto_sign_verify_detached(signature, message, key.bytes)) return key;
    }
  }
  return undefined;
}
