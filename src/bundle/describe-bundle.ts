import { openDelta } from '../delta/decode/delta-file.ts';
import { deltaFolder, deltaPath } from '../delta/delta-path.ts';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import { decodeCommit, metadataValue } from '../repo/commit-object.ts';
import { decodeDetachedMetadata, signaturesOf } from '../repo/detached-metadata.ts';
import { isChecksum } from '../repo/object-name.ts';
import { promisedImage } from '../repo/pine-metadata.ts';
import { authenticate } from '../trust/authenticate.ts';
import type { PublicKey } from '../trust/keys.ts';
import type { Bundle } from './bundle-file.ts';
import type { BundleRemote } from './bundle-remote.ts';

/** What is in a bundle. */
export interface BundleDescription {
  readonly ref: string;
  readonly commit: string;
  readonly version: string | undefined;
  readonly subject: string;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly image: Digest | undefined;
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

/** The ref that a bundle is for, and its commit's checksum. Throws CORRUPT_BUNDLE, CORRUPT_REF. */
export async function refOfBundle(
  { paths, name }: Bundle,
  remote: BundleRemote,
): Promise<{ ref: string; commit: string }> {
  const start = 'refs/heads/';
  const refs = paths.filter((path) => path.startsWith(start));
  const [ref] = refs;
  if (ref === undefined || refs.length > 1) {
    throw new PineError('CORRUPT_BUNDLE', 'a bundle is for one ref', {
      expected: 'one ref',
      found: refs.length === 0 ? 'none' : refs.join(', '),
      where: name,
      remedy: 'make it with `pinectl bundle create`',
    });
  }
  const found = ref.slice(start.length);
  return { ref: found, commit: await remote.resolveRef(found) };
}

/**
 * Tells what is in a bundle, with every piece of its deltas checked. With `keys`, commit and deltas must be signed
 * by one of them. Throws CORRUPT_…, TRUST_….
 */
export async function describeBundle(
  bundle: Bundle,
  remote: BundleRemote,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleDescription> {
  const { ref, commit: checksum } = await refOfBundle(bundle, remote);
  const fetched = await remote.fetchCommit(checksum);
  const signer = keys && (await authenticate({ checksum, ...fetched, keys }));
  const commit = decodeCommit(fetched.commit, `${bundle.name}, commit ${checksum}`);
  const detached = fetched.detachedMetadata;
  const version = metadataValue(commit.metadata, 'version');
  return {
    ref,
    commit: checksum,
    version: version?.type === 's' ? String(version.value) : undefined,
    subject: commit.subject,
    timestamp: commit.timestamp,
    image: promisedImage(commit),
    signatures:
      detached === undefined
        ? 0
        : signaturesOf(decodeDetachedMetadata(detached, `${bundle.name}, signatures`)).length,
    ...(signer === undefined ? {} : { signedBy: signer.signedBy.name }),
    deltas: await describeDeltas(bundle, checksum, keys),
  };
}

async function describeDeltas(
  { paths, file, name }: Bundle,
  to: string,
  keys: readonly PublicKey[] | undefined,
): Promise<BundleDescription['deltas']> {
  const deltas: { from: string; size: number; signedBy?: string | undefined }[] = [];
  for (const from of deltasOf(paths, to)) {
    const path = deltaPath({ from, to });
    const reader = file(path);
    if (reader === undefined) continue;
    const delta = await openDelta(reader, keys, `${name}, ${path}`);
    await delta.check();
    deltas.push({
      from,
      size: reader.size,
      ...(keys === undefined ? {} : { signedBy: delta.signedBy }),
    });
  }
  return deltas;
}

/** The commits that a bundle's deltas to `to` are from. */
export function deltasOf(paths: readonly string[], to: string): string[] {
  const start = `${deltaFolder}/${to}/`;
  return paths
    .filter((path) => path.startsWith(start) && path.endsWith('.delta'))
    .map((path) => path.slice(start.length, -'.delta'.length))
    .filter(isChecksum);
}
