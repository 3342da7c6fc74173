import { PineError } from '../error.ts';
import { publicKeyLength, type SecretKey } from './keys.ts';
import { loadSodium } from './sodium.ts';

/**
 * Signs the exact bytes of a commit object, or of another message: 64 bytes of Ed25519 (RFC 8032), as
 * OSTree's `ostree.sign.ed25519` holds them. Throws INPUT_KEY_HALVES when the secret key's two halves are not a pair.
 */
export async function signCommit(commit: Uint8Array, secretKey: SecretKey): Promise<Uint8Array> {
  const sodium = await loadSodium();
  // Signing with a foreign public half would give the secret one away to whoever sees two signatures.
  const seed = secretKey.bytes.subarray(0, publicKeyLength);
  const pair = sodium.crypto_sign_seed_keypair(seed);
  if (!sodium.memcmp(pair.privateKey, secretKey.bytes)) {
    throw new PineError('INPUT_KEY_HALVES', 'the secret key is damaged', {
      expected: 'a seed and the public key that belongs to it',
      found: 'a public key that does not belong to the seed',
      where: secretKey.name,
      remedy: 'take the key from a backup, or make a new pair with `pinectl keys generate`',
    });
  }
  return sodium.crypto_sign_detached(commit, pair.privateKey);
}
