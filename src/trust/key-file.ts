import { PineError } from '../error.ts';
import {
  type PublicKey,
  publicHalf,
  publicKeyLength,
  type SecretKey,
  secretKeyLength,
} from './keys.ts';

/** No key file is longer, with all its comments. Readers bound what they read by it (S5). */
export const keyFileLimit = 4096;

/**
 * Reads the text of a public key file: one line of base64 (32 bytes), comments after `#`.
 * Throws INPUT_KEY_FILE, and INPUT_SECRET_KEY when it is a secret key. `name` is for messages.
 */
export function parsePublicKey(text: string, name: string): PublicKey {
  const bytes = parseKey(text, name);
  if (bytes.length === publicKeyLength) return { bytes, name };
  throw new PineError('INPUT_SECRET_KEY', 'this is a secret key where a public one belongs', {
    expected: 'a public key: base64 of 32 bytes',
    found: 'base64 of 64 bytes, a secret key',
    where: name,
    remedy:
      'give the .pub file; if a secret key came onto a server, make a new pair and remove it there',
  });
}

/**
 * Reads the text of a secret key file: one line of base64 (seed and public key, 64 bytes), comments
 * after `#`. Throws INPUT_KEY_FILE, and INPUT_PUBLIC_KEY when it is a public key.
 */
export function parseSecretKey(text: string, name: string): SecretKey {
  const bytes = parseKey(text, name);
  if (bytes.length === secretKeyLength) return { bytes, name };
  throw new PineError('INPUT_PUBLIC_KEY', 'this is a public key where a secret one belongs', {
    expected: 'a secret key: base64 of 64 bytes, the seed and the public key',
    found: 'base64 of 32 bytes, a public key (or a bare seed)',
    where: name,
    remedy: 'give the .secret file that `pinectl keys generate` wrote',
  });
}

/** Reads a key file of either kind and gives the public key: the whole of it, or the half that a secret key carries. */
export function parsePublicHalf(text: string, name: string): PublicKey {
  const bytes = parseKey(text, name);
  return bytes.length === secretKeyLength ? publicHalf({ bytes, name }) : { bytes, name };
}

/** The key's 32 or 64 bytes. */
function parseKey(text: string, name: string): Uint8Array {
  if (text.length > keyFileLimit) {
    throw notAKey(name, `at most ${keyFileLimit} characters`, 'more of them');
  }
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ key: line.replace(/#.*$/, '').trim(), number: index + 1 }))
    .filter((line) => line.key !== '');
  const [first, second] = lines;
  if (first === undefined) throw notAKey(name, 'one line with a key in base64', 'no such line');
  if (second !== undefined) {
    throw notAKey(`${name}, line ${second.number}`, 'one key in a file', 'a second line');
  }
  const bytes = Buffer.from(first.key, 'base64');
  const where = `${name}, line ${first.number}`;
  // Node skips what is not base64; only a text that comes back the same was all base64.
  if (bytes.toString('base64') !== first.key) {
    throw notAKey(where, 'a key in base64 with padding', 'other text');
  }
  if (bytes.length !== publicKeyLength && bytes.length !== secretKeyLength) {
    throw notAKey(
      where,
      `base64 of ${publicKeyLength} bytes (public) or ${secretKeyLength} (secret)`,
      `base64 of ${bytes.length} bytes`,
    );
  }
  return new Uint8Array(bytes);
}

/** Says nothing of the text itself: it may be most of a secret key. */
function notAKey(where: string, expected: string, found: string): PineError {
  return new PineError('INPUT_KEY_FILE', 'this is not a key file', {
    expected,
    found,
    where,
    remedy: 'give a file that `pinectl keys generate` wrote',
  });
}
