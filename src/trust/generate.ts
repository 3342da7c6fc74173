import type { PublicKey, SecretKey } from './keys.ts';
import { loadSodium } from './sodium.ts';

/** Makes a new Ed25519 key pair out of the operating system's randomness. `name` is for messages. */
export async function generateKeyPair(
  name: string,
): Promise<{ secretKey: SecretKey; publicKey: PublicKey }> {
  const sodium = await loadSodium();
  const pair = sodium.crypto_sign_keypair();
  return {
    secretKey: { bytes: pair.privateKey, name },
    publicKey: { bytes: pair.publicKey, name },
  };
}
