import { PineError } from '../error.ts';
import { keyFileLimit, parsePublicKey, parseSecretKey } from '../trust/key-file.ts';
import type { PublicKey, SecretKey } from '../trust/keys.ts';
import { readText } from './input-file.ts';

/** Reads the .secret files of --sign-key. Throws NOT_FOUND_FILE, and as their parser does. */
export function readSecretKeys(paths: readonly string[] = []): Promise<SecretKey[]> {
  return Promise.all(
    paths.map(async (path) =>
      parseSecretKey(await readText(path, keyFileLimit, 'a .secret file'), path),
    ),
  );
}

/**
 * Reads the keys of which one must have signed something; `undefined` with --unsigned, which asks for none. Throws
 * USAGE_COMMAND_LINE for both, and as `readPublicKeys`.
 */
export async function readSigners(options: {
  readonly key?: readonly string[];
  readonly unsigned?: boolean;
}): Promise<PublicKey[] | undefined> {
  if (!options.unsigned) return readPublicKeys(options.key);
  if (options.key === undefined) return undefined;
  throw new PineError('USAGE_COMMAND_LINE', '--key and --unsigned exclude each other', {
    expected: '--key or --unsigned',
    found: 'both',
    where: 'the command line',
    remedy: 'leave out --unsigned: with a key the signature is checked',
  });
}

/** Reads the .pub files of --key. Throws TRUST_NO_KEYS when none is given, NOT_FOUND_FILE, and as their parser does. */
export async function readPublicKeys(paths: readonly string[] = []): Promise<PublicKey[]> {
  if (paths.length === 0) {
    throw new PineError('TRUST_NO_KEYS', 'it is not said whose signature is asked for', {
      expected: '--key FILE.pub',
      found: 'no key',
      where: 'the command line',
      remedy: 'give the key of the build host, or --unsigned for what you made yourself',
    });
  }
  return Promise.all(
    paths.map(async (path) =>
      parsePublicKey(await readText(path, keyFileLimit, 'a .pub file'), path),
    ),
  );
}
