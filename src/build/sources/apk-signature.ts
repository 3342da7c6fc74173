import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { join } from 'node:path';
import { PineError } from '../../error.ts';
import { nodeFileSystem } from '../../ports/node-file-system.ts';

/** A file `.SIGN.TYPE.KEY` of a package, and its bytes. */
export interface ApkSignature {
  readonly name: string;
  readonly bytes: Buffer;
}

const digests = { RSA: 'sha1', RSA256: 'sha256' } as const;
const largestKey = 64 * 1024;

/**
 * Checks that a key of a folder made one of the signatures of a package's control member. Gives the
 * key's name. Only the key's name is taken from the package before that (S5).
 *
 * Throws TRUST_APK_SIGNATURE, TRUST_APK_KEY, INPUT_APK_KEY; `where` names the package.
 */
export async function checkApkSignature(
  control: Uint8Array,
  signatures: readonly ApkSignature[],
  keyFolder: string,
  where: string,
): Promise<string> {
  const unknown: string[] = [];
  for (const { name, bytes } of signatures) {
    const [, type = '', keyName = ''] =
      /^\.SIGN\.(RSA|RSA256)\.([\w@+][-\w.@+]*)$/.exec(name) ?? [];
    const key = keyName === '' ? undefined : await readKey(join(keyFolder, keyName));
    if (key === undefined) unknown.push(keyName || name);
    else if (verify(digests[type as keyof typeof digests], control, key, bytes)) return keyName;
    else throw wrong(keyName, where);
  }
  throw new PineError('TRUST_APK_KEY', 'no trusted key signed this package', {
    expected: `a signature by one of the keys in ${keyFolder}`,
    found: unknown.length === 0 ? 'no signature' : `one by ${unknown.join(', ')}`,
    where,
    remedy:
      "give the folder of Alpine's keys with --apk-keys: /etc/apk/keys of a root that you trust",
  });
}

async function readKey(path: string): Promise<KeyObject | undefined> {
  const pem = await nodeFileSystem.readFile(path, largestKey);
  if (pem === undefined) return undefined;
  try {
    const key = createPublicKey(pem);
    if (key.asymmetricKeyType === 'rsa') return key;
  } catch {
    // Told below, as for a key of another kind.
  }
  throw new PineError('INPUT_APK_KEY', "a key of Alpine's can't be read", {
    expected: 'an RSA public key in PEM form',
    found: 'something else',
    where: path,
    remedy: 'take the key from a root that you trust, or remove the file',
  });
}

function wrong(keyName: string, where: string): PineError {
  return new PineError('TRUST_APK_SIGNATURE', 'the signature of this package is wrong', {
    expected: `what ${keyName} signed`,
    found: 'something else: the package was altered',
    where,
    remedy: 'do not use this file; fetch the package again',
  });
}
