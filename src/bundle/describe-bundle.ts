import type { Digest } from '../image/digest.ts';
import { metadataValue } from '../repo/commit-object.ts';
import type { PublicKey } from '../trust/keys.ts';
import { openDeltas } from './bundle-deltas.ts';
import type { Bundle } from './bundle-file.ts';
import type { BundleRemote } from './bundle-remote.ts';
import { readCommit } from './read-commit.ts';

/** What is in a bundle. */
export interface BundleDescription {
  readonly ref: string;
  readonly commit: string;
  readonly version: string | undefined;
  readonly subject: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly image: Digest;
  readonly signatures: number;
  /** The key that signed the commit; absent when no key was given. */
  readonly signedBy?: string;
  readonly deltas: readonly {
    /** A commit, or `nothing`. */
    readonly from: string;
    readonly size: number;
    readonly signedBy?: string | undefined;
  }[];
}

/**
 * Tells what is in a bundle, with every piece of its deltas checked. With `keys`, commit and deltas must be signed
 * by one of them. Throws CORRUPT_…, TRUST_…, INPUT_REF_NOT_BOUND, NOT_FOUND_IMAGE.
 */
export async function describeBundle(
  bundle: Bundle,
  remote: BundleRemote,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleDescription> {
  const { checksum, commit, image, ...signed } = await readCommit(bundle, remote, keys);
  const deltas = await openDeltas(bundle, { checksum, image }, keys);
  const version = metadataValue(commit.metadata, 'version');
  return {
    ref: bundle.ref,
    commit: checksum,
    version: version?.type === 's' ? String(version.value) : undefined,
    subject: commit.subject,
    timestamp: commit.timestamp,
    image,
    signatures: signed.signatures,
    ...(signed.signedBy === undefined ? {} : { signedBy: signed.signedBy.name }),
    deltas: deltas.map(({ header, content, signedBy }) => ({
      from: header.from.commit,
      size: content.size,
      ...(keys === undefined ? {} : { signedBy }),
    })),
  };
}
