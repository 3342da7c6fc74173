/** An Ed25519 public key: 32 bytes, and where it came from (a file name), for messages. */
export interface PublicKey {
  readonly bytes: Uint8Array;
  readonly name: string;
}

/** An Ed25519 secret key as libsodium and OSTree hold it: the 32 bytes of the seed, then the 32 of the public key. */
export interface SecretKey {
  readonly bytes: Uint8Array;
  readonly name: string;
}

export const publicKeyLength = 32;
export const secretKeyLength = 64;
export const signatureLength = 64;

/** A key in the form that OSTree's key files and `--sign` arguments have: base64 with padding. */
export function encodeKey(key: { readonly bytes: Uint8Array }): string {
  return Buffer.from(key.bytes).toString('base64');
}

/** The public half that a secret key carries. */
export function publicHalf(key: SecretKey): PublicKey {
  return { bytes: key.bytes.subarray(publicKeyLength), name: key.name };
}
