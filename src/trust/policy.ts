import { createHash } from 'node:crypto';
import { type ErrorCode, PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import { trailerRoom } from '../image/trailer.ts';
import { boundRefs, type Commit, decodeCommit, metadataValue } from '../repo/commit-object.ts';
import { decodeDetachedMetadata, signaturesOf } from '../repo/detached-metadata.ts';
import { bootCompatibility, promisedImage, promisedPlan } from '../repo/pine-metadata.ts';
import { type PublicKey, signatureLength } from './keys.ts';
import { findSigner } from './verify.ts';

/** Bytes that a commit and its detached metadata may have together: what a slot's trailer can hold. */
export const commitLimit = trailerRoom;
/** Each costs a verification with every key. */
const mostSignatures = 64;

/** What a remote offers under a ref, and what this machine takes. */
export interface Offer {
  /** The checksum that the ref names: 64 hex digits. */
  readonly checksum: string;
  /** The bytes of the .commit and .commitmeta, as they came. */
  readonly commit: Uint8Array;
  readonly detachedMetadata: Uint8Array | undefined;
  readonly keys: readonly PublicKey[];
  readonly followedRef: string;
  /** What the machine runs; time in seconds since 1970. Absent on a machine that runs no commit. */
  readonly running?: { readonly commit: string; readonly timestamp: number } | undefined;
  readonly allowDowngrade?: boolean | undefined;
  /** `BootLoader.compatibility` of the machine. */
  readonly bootCompatibility: number;
}

/** A commit that this machine may act on, and all that it needs to know of it. */
export interface AcceptedCommit {
  readonly checksum: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly subject: string;
  /** The `version` of its metadata, if it has one. */
  readonly version: string | undefined;
  readonly image: Digest;
  readonly plan: Digest;
  readonly bootCompatibility: number;
  /** The name of the trusted key that signed it. */
  readonly signedBy: string;
  readonly commit: Uint8Array;
  readonly detachedMetadata: Uint8Array;
}

/** Bytes of a commit that passed a check. A step takes only what the step before it gives. */
type Passed<Step extends string> = Uint8Array & { readonly [passed]: Step };
declare const passed: unique symbol;

/**
 * Decides whether a machine takes a commit. The order is S5's: size, checksum, signature, and only
 * then what the commit says: ref, time, boot compatibility, image and plan.
 *
 * Throws CORRUPT_TOO_LARGE, CORRUPT_COMMIT, TRUST_NO_SIGNATURE, TRUST_BAD_SIGNATURE,
 * TRUST_UNKNOWN_KEY, TRUST_WRONG_REF, TRUST_OLDER, TRUST_BOOT_LOADER, INPUT_NOT_BOOTABLE, INPUT_NO_IMAGE.
 */
export async function acceptCommit(offer: Offer): Promise<AcceptedCommit> {
  const bounded = boundSizes(offer);
  const identified = checkChecksum(bounded, offer.checksum);
  const [authentic, signedBy] = await checkSignature(identified, offer);
  const commit = decodeAuthentic(authentic, offer.checksum);
  checkRef(commit, offer);
  checkTime(commit, offer);
  const needed = checkBootLoader(commit, offer);
  const { image, plan } = checkPromises(commit, offer);
  const version = metadataValue(commit.metadata, 'version');
  return {
    checksum: offer.checksum,
    timestamp: commit.timestamp,
    subject: commit.subject,
    version: version?.type === 's' ? String(version.value) : undefined,
    image,
    plan,
    bootCompatibility: needed,
    signedBy: signedBy.name,
    commit: offer.commit,
    detachedMetadata: offer.detachedMetadata ?? new Uint8Array(0),
  };
}

/** S5: sizes are bounded before anything looks at the bytes. */
function boundSizes(offer: Offer): Passed<'size'> {
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
  offer: Offer,
): Promise<[Passed<'signature'>, PublicKey]> {
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
    throw refused(offer, 'TRUST_UNKNOWN_KEY', 'no key that this machine trusts signed the commit', {
      expected: `a signature of ${offer.keys.map(({ name }) => name).join(' or ') || 'a trusted key'}`,
      found: `${signatures.length} of other keys, or altered`,
      remedy: 'if the key is yours, put its .pub file into /etc/pine/keys; if not, do not',
    });
  }
  return [commit as Uint8Array as Passed<'signature'>, signer];
}

function readSignatures({ checksum, detachedMetadata }: Offer): readonly Uint8Array[] {
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

/** S5: the one place where a commit's contents are read, and it takes none that is not authentic. */
function decodeAuthentic(commit: Passed<'signature'>, checksum: string): Commit {
  return decodeCommit(commit, `commit ${checksum}`);
}

/** A signature says who made a commit, not for whom: a database server must not boot a web server's. */
function checkRef(commit: Commit, offer: Offer): void {
  const refs = boundRefs(commit) ?? [];
  if (refs.includes(offer.followedRef)) return;
  throw refused(offer, 'TRUST_WRONG_REF', 'the commit was not made for the ref that is followed', {
    expected: `a commit for ${offer.followedRef}`,
    found: refs.length === 0 ? 'one that names no ref' : `one for ${refs.join(', ')}`,
    remedy: 'follow the ref that it was made for, or commit it for this one',
  });
}

/** An old commit with known holes is signed too. */
function checkTime(commit: Commit, offer: Offer): void {
  const { running, allowDowngrade = false } = offer;
  if (running === undefined || commit.timestamp >= running.timestamp || allowDowngrade) return;
  throw refused(offer, 'TRUST_OLDER', 'the commit is older than the one that runs', {
    expected: `a commit of ${formatTime(running.timestamp)} (${running.commit}) or later`,
    found: formatTime(commit.timestamp),
    remedy: 'wait for a newer one; to go back on purpose, use --allow-downgrade',
  });
}

function checkBootLoader(commit: Commit, offer: Offer): number {
  const needed = bootCompatibility(commit);
  if (needed === undefined) {
    throw refused(offer, 'INPUT_NOT_BOOTABLE', 'the commit can not be booted', {
      expected: 'a commit with pine.boot-compat',
      found: 'one without',
      remedy: 'commit it with --bootable',
    });
  }
  if (needed <= offer.bootCompatibility) return needed;
  throw refused(
    offer,
    'TRUST_BOOT_LOADER',
    "the commit needs a newer boot loader than this machine's",
    {
      expected: `pine.boot-compat of at most ${offer.bootCompatibility}`,
      found: `${needed}`,
      remedy: 'renew the boot loader of this machine first, or follow a ref for older machines',
    },
  );
}

function checkPromises(commit: Commit, offer: Offer): { image: Digest; plan: Digest } {
  const image = promisedImage(commit);
  const plan = promisedPlan(commit);
  if (image !== undefined && plan !== undefined) return { image, plan };
  throw refused(offer, 'INPUT_NO_IMAGE', 'the commit does not say what its image is', {
    expected: 'a commit with pine.image.1 and pine.plan.1',
    found: image === undefined ? 'one without an image' : 'one without a plan',
    remedy: 'make the commit with `pinectl commit`; the stock client writes no images',
  });
}

/** Times far off are not worth a RangeError. */
function formatTime(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} s since 1970` : time.toISOString();
}

function refused(
  { checksum }: { checksum: string },
  code: ErrorCode,
  summary: string,
  details: { expected: string; found: string; remedy: string },
): PineError {
  return new PineError(code, summary, { ...details, where: `commit ${checksum}` });
}
