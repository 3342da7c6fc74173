import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import { boundRefs, type Commit, decodeCommit } from '../repo/commit-object.ts';
import { decodeDetachedMetadata, signaturesOf } from '../repo/detached-metadata.ts';
import { promisedImage } from '../repo/pine-metadata.ts';
import { authenticate, checkUnsigned } from '../trust/authenticate.ts';
import type { PublicKey } from '../trust/keys.ts';
import type { Bundle } from './bundle-file.ts';
import type { BundleRemote } from './bundle-remote.ts';

/** The commit of a bundle. */
export interface BundleCommit {
  readonly checksum: string;
  readonly commit: Commit;
  /** The image that it promises. */
  readonly image: Digest;
  /** The bytes of the .commit and .commitmeta. */
  readonly object: Uint8Array;
  readonly detachedMetadata: Uint8Array | undefined;
  /** How many signatures it has, right or wrong. */
  readonly signatures: number;
  /** The key that signed it; `undefined` when that was not asked for. */
  readonly signedBy: PublicKey | undefined;
}

/**
 * Reads the commit of a bundle, signed by one of `keys` if there are any to ask for. S5: signature and checksum first,
 * then what the commit says. Throws CORRUPT_…, TRUST_…, INPUT_REF_NOT_BOUND, NOT_FOUND_IMAGE.
 */
export async function readCommit(
  bundle: Bundle,
  remote: BundleRemote,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleCommit> {
  const checksum = bundle.commit;
  const { commit: object, detachedMetadata } = await remote.fetchCommit(checksum);
  const offer = { checksum, commit: object, detachedMetadata };
  const signer = keys && (await authenticate({ ...offer, keys, keysAre: 'given' }));
  if (signer === undefined) checkUnsigned(offer);
  const detached =
    detachedMetadata && decodeDetachedMetadata(detachedMetadata, `${bundle.name}, signatures`);
  const commit = decodeCommit(object, `${bundle.name}, commit ${checksum}`);
  if (!(boundRefs(commit) ?? []).includes(bundle.ref)) throw notBound(bundle.ref, checksum);
  const image = promisedImage(commit);
  if (image === undefined) throw noImage(checksum);
  const signatures = detached === undefined ? 0 : signaturesOf(detached).length;
  const signedBy = signer?.signedBy;
  return { checksum, commit, image, object, detachedMetadata, signatures, signedBy };
}

function noImage(checksum: string): PineError {
  return new PineError('NOT_FOUND_IMAGE', 'the commit of the bundle has no image', {
    expected: 'a commit with pine.image.1 in its metadata',
    found: 'none',
    where: `commit ${checksum}`,
    remedy: 'make the bundle again: pinectl bundle create',
  });
}

function notBound(ref: string, checksum: string): PineError {
  return new PineError('INPUT_REF_NOT_BOUND', 'this commit was not made for the ref', {
    expected: `a commit for ${ref}`,
    found: 'one that does not name it',
    where: `commit ${checksum}`,
    remedy: 'make the bundle again: pinectl bundle create',
  });
}
