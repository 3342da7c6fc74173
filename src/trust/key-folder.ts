import { PineError } from '../error.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { keyFileLimit, parsePublicKey } from './key-file.ts';
import type { PublicKey } from './keys.ts';

const mostKeys = 64;

/**
 * Reads the keys that a machine trusts: every `*.pub` in `folder` (`/etc/pine/keys`), in the order of
 * their names, but for those that a `*.revoked` file there holds. Throws TRUST_NO_KEYS when there is none, and INPUT_KEY_FILE for one that is not a key.
 */
export async function readTrustedKeys(fileSystem: FileSystem, folder: string) {
  const names = (await fileSystem.readFolder(folder)) ?? [];
  const revoked = await readKeys(fileSystem, folder, names, '.revoked');
  const keys = (await readKeys(fileSystem, folder, names, '.pub')).filter(
    (key) => !revoked.some(({ bytes }) => Buffer.compare(bytes, key.bytes) === 0),
  );
  if (keys.length === 0) throw noKeys(folder);
  return keys;
}

async function readKeys(
  fileSystem: FileSystem,
  folder: string,
  names: readonly string[],
  end: '.pub' | '.revoked',
): Promise<readonly PublicKey[]> {
  const wanted = names.filter((name) => name.endsWith(end));
  if (wanted.length > mostKeys) throw tooManyKeys(folder, wanted.length);
  const keys: PublicKey[] = [];
  for (const name of wanted) {
    const path = `${folder}/${name}`;
    const bytes = await fileSystem.readFile(path, keyFileLimit);
    // Removed since the folder was read: as if it had never been there.
    if (bytes !== undefined) keys.push(parsePublicKey(bytes.toString('utf8'), path));
  }
  return keys;
}

function noKeys(folder: string): PineError {
  return new PineError('TRUST_NO_KEYS', 'this machine trusts no key', {
    expected: 'at least one public key, *.pub, that is not revoked',
    found: 'none',
    where: folder,
    remedy: 'put the .pub file of the build host there (`pinectl keys generate` makes a pair)',
  });
}

function tooManyKeys(folder: string, count: number): PineError {
  return new PineError('INPUT_KEY_FILE', 'this machine has too many keys', {
    expected: `at most ${mostKeys} public keys`,
    found: `${count}`,
    where: folder,
    remedy: 'remove those that are no longer used',
  });
}
