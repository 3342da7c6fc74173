import type { Digest } from '../image/digest.ts';
import { boundRefs, type Commit, decodeCommit, metadataValue } from '../repo/commit-object.ts';
import { bootCompatibility, promisedImage, promisedPlan } from '../repo/pine-metadata.ts';
import { type Authentic, authenticate, refused, type SignedCommit } from './authenticate.ts';

/** What a remote offers under a ref, and what this machine takes. */
export interface Offer extends SignedCommit {
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

/**
 * Decides whether a machine takes a commit. The order is S5's: size, checksum, signature, and only
 * then what the commit says: ref, time, boot compatibility, image and plan.
 *
 * Throws CORRUPT_TOO_LARGE, CORRUPT_COMMIT, TRUST_NO_SIGNATURE, TRUST_BAD_SIGNATURE,
 * TRUST_UNKNOWN_KEY, TRUST_WRONG_REF, TRUST_OLDER, TRUST_BOOT_LOADER, INPUT_NOT_BOOTABLE, INPUT_NO_IMAGE.
 */
export async function acceptCommit(offer: Offer): Promise<AcceptedCommit> {
  const { authentic, signedBy } = await authenticate(offer);
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

/** S5: the one place where a commit's contents are read, and it takes none that is not authentic. */
function decodeAuthentic(commit: Authentic, checksum: string): Commit {
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
