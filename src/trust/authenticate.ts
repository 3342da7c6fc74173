import { createHash } from 'node:crypto';
import { type ErrorCode, PineError } from '../error.ts';
import { trailerRoom } from '../image/trailer.ts';
import { decodeDetachedMetadata, signaturesOf } from '../repo/detached-metadata.ts';
import { type PublicKey, signatureLength } from './keys.ts';
import { findSigner } from './verify.ts';

/** Bytes that a commit and its detached metadata may have together: what a slot's trailer can hold. */
export const commitLimit = trailerRoom;
/** Each costs a verification with every key. */
const mostSignatures = 64;

/** A commit as it came, and the keys that are trusted. */
export interface SignedCommit {
  /** The checksum that the ref names: 64 hex digits. */
  readonly checksum: string;
  /** The bytes of the .commit and .commitmeta. */
  readonly commit: Uint8Array;
  readonly detachedMetadata: Uint8Array | undefined;
  readonly keys: readonly PublicKey[];
  /** Where the keys are from, for messages: those of this machine (so it is when absent), or of `--key`. */
  readonly keysAre?: 'trusted' | 'given';
}

/** What to say when none of the keys signed a commit. */
const unknownKey = {
  trusted: {
    summary: 'no key that this machine trusts signed the commit',
    remedy: 'if the key is yours, put its .pub file into /etc/pine/keys; if not, do not',
  },
  given: {
    summary: 'no key of --key signed the commit',
    remedy: 'if you trust who made it, give the .pub file of that key with --key; if not, do not',
  },
};

declare const passed: unique symbol;
/** Bytes of a commit that passed a check. A step takes only what the step before it gives. */
type Passed<Step extends string> = Uint8Array & { readonly [passed]: Step };
/** Bytes of a commit that a trusted key signed. Nothing else makes one. */
export type Authentic = Passed<'signature'>;

/**
 * Checks size, checksum and signature, in this order, and reads nothing of the commit itself (S5).
 *
 * Throws CORRUPT_TOO_LARGE, CORRUPT_COMMIT, CORRUPT_GVARIANT (of the detached metadata),
 * TRUST_NO_SIGNATURE, TRUST_BAD_SIGNATURE, TRUST_UNKNOWN_KEY.
 */
export async function authenticate(
  offer: SignedCommit,
): Promise<{ authentic: Authentic; signedBy: PublicKey }> {
  return checkSignature(checkChecksum(boundSizes(offer), offer.checksum), offer);
}

/** Checks size and checksum of a commit whose signature is not asked for. Throws CORRUPT_TOO_LARGE, CORRUPT_COMMIT. */
export function checkUnsigned(offer: Omit<SignedCommit, 'keys'>): void {
  checkChecksum(boundSizes(offer), offer.checksum);
}

/** S5: sizes are bounded before anything looks at the bytes. */
function boundSizes(offer: Omit<SignedCommit, 'keys'>): Passed<'size'> {
  const size = offer.commit.length + (offer.detachedMetadata?.length ?? 0);
  if (size > commitLimit) {
    throw refused(offer, 'CORRUPT_TOO_LARGE', 'the commit is too large for a slot', {
      expected: `at most ${commitLimit} bytes with its signatures`,
      found: `${size} bytes`,
      remedy: 'commit with less metadata, or a shorter message',
    });
  }
  return offer.commit as Passed<'size'>;
}

/** S5: the bytes are those that the ref names. Without this the signature of another commit would do. */
function checkChecksum(commit: Passed<'size'>, checksum: string): Passed<'checksum'> {
  const found = createHash('sha256').update(commit).digest('hex');
  if (found === checksum) return commit as Uint8Array as Passed<'checksum'>;
  throw refused({ checksum }, 'CORRUPT_COMMIT', 'the commit is not what its name says', {
    expected: `SHA-256 ${checksum}`,
    found,
    remedy: 'run `pinectl fsck` on the repository; if it is sound, ask who answers in its place',
  });
}

/** S5: a key that this machine trusts signed exactly these bytes. */
async function checkSignature(
  commit: Passed<'checksum'>,
  offer: SignedCommit,
): Promise<{ authentic: Authentic; signedBy: PublicKey }> {
  const signatures = readSignatures(offer);
  if (signatures.length === 0) {
    throw refused(offer, 'TRUST_NO_SIGNATURE', 'the commit is not signed', {
      expected: 'an Ed25519 signature of a trusted key',
      found: 'none',
      remedy: 'sign it on the build host: `pinectl commit … --sign-key KEY`',
    });
  }
  if (signatures.every(({ length }) => length !== signatureLength)) {
    throw refused(offer, 'TRUST_BAD_SIGNATURE', 'the signature of the commit is damaged', {
      expected: `a signature of ${signatureLength} bytes`,
      found: `${signatures.map(({ length }) => length).join(', ')} bytes`,
      remedy: 'sign the commit again on the build host',
    });
  }
  const signer = await findSigner(commit, signatures, offer.keys);
  if (signer === undefined) {
    const { summary, remedy } = unknownKey[offer.keysAre ?? 'trusted'];
    throw refused(offer, 'TRUST_UNKNOWN_KEY', summary, {
      expected: `a signature of ${offer.keys.map(({ name }) => name).join(' or ') || 'a trusted key'}`,
      found: `${signatures.length} of other keys, or altered`,
      remedy,
    });
  }
  return { authentic: commit as Uint8Array as Authentic, signedBy: signer };
}

function readSignatures({ checksum, detachedMetadata }: SignedCommit): readonly Uint8Array[] {
  if (detachedMetadata === undefined || detachedMetadata.length === 0) return [];
  const where = `the detached metadata of commit ${checksum}`;
  const signatures = signaturesOf(decodeDetachedMetadata(detachedMetadata, where));
  if (signatures.length <= mostSignatures) return signatures;
  throw refused({ checksum }, 'TRUST_BAD_SIGNATURE', 'the commit has too many signatures', {
    expected: `at most ${mostSignatures}`,
    found: `${signatures.length}`,
    remedy: 'sign the commit again on the build host',
  });
}

/** An error about a commit. */
export function refused(
  { checksum }: { checksum: string },
  code: ErrorCode,
  summary: string,
  details: { expected: string; found: string; remedy: string },
): PineError {
  return new PineError(code, summary, { ...details, where: `commit ${checksum}` });
}
