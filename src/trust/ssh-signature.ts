import { type PublicKey, publicHalf, type SecretKey } from './keys.ts';
import { signCommit } from './sign.ts';

/** What the signature is for; `ssh-keygen` must be told the same. It calls files so itself. */
export const fileNamespace = 'file';

const keyType = 'ssh-ed25519';
const hashName = 'sha512';

/** The key as a line of authorized_keys or allowed_signers has it: `ssh-ed25519 AAAA…`. */
export function encodeSshKey(key: PublicKey): string {
  return `${keyType} ${sshKey(key).toString('base64')}`;
}

/**
 * Signs a file by its SHA-512, in the form that `ssh-keygen -Y verify` checks: a server that is reached
 * over SSH has that program, and it reads the file as a stream.
 * Source: PROTOCOL.sshsig of OpenSSH; RFC 8709 for key and signature.
 */
export async function signFileHash(sha512: Uint8Array, secretKey: SecretKey): Promise<string> {
  const namespace = string(fileNamespace);
  const hash = string(hashName);
  // The magic at its start keeps it apart from the commits that the same key signs.
  const message = Buffer.concat([magic, namespace, string(''), hash, string(sha512)]);
  const signature = await signCommit(message, secretKey);
  const blob = Buffer.concat([
    magic,
    Buffer.from([0, 0, 0, 1]), // the version
    string(sshKey(publicHalf(secretKey))),
    namespace,
    string(''), // reserved
    hash,
    string(Buffer.concat([string(keyType), string(signature)])),
  ]);
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n');
}

const magic = Buffer.from('SSHSIG');

function sshKey(key: PublicKey): Buffer {
  return Buffer.concat([string(keyType), string(key.bytes)]);
}

/** A string of RFC 4251: its length in four bytes, most significant first, then its bytes. */
function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
