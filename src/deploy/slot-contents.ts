import { createHash } from 'node:crypto';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import { decodeTrailer, type Trailer, trailerSize } from '../image/trailer.ts';
import { verifyImage } from '../plan/read-back.ts';
import type { BlockDevice, BlockDeviceOpener } from '../ports/block-device.ts';
import type { Progress } from '../ports/progress.ts';
import { type Commit, decodeCommit, metadataValue } from '../repo/commit-object.ts';
import { decodeDetachedMetadata, signaturesOf } from '../repo/detached-metadata.ts';
import { promisedImage, promisedPlan } from '../repo/pine-metadata.ts';
import type { PublicKey } from '../trust/keys.ts';

/** What a slot's trailer says is in it. Whether the image is that too shows only when it is read. */
export interface SlotContents {
  /** SHA-256 of the commit object: its name. */
  readonly checksum: string;
  readonly commit: Commit;
  readonly version: string;
  readonly image: Digest;
  /** `undefined` when the commit promises no plan. */
  readonly plan: Digest | undefined;
  readonly trailer: Trailer;
}

/** Reads the trailer of a slot; `undefined` when it has none. Throws CORRUPT_TRAILER or CORRUPT_OBJECT. */
export async function readSlot(opener: BlockDeviceOpener): Promise<SlotContents | undefined> {
  const device = await opener.open('read');
  try {
    return await readOpenSlot(device, opener.name);
  } finally {
    await device.close();
  }
}

/** The same, of a slot that is open. */
export async function readOpenSlot(
  device: Pick<BlockDevice, 'size' | 'read'>,
  name: string,
): Promise<SlotContents | undefined> {
  if (device.size < trailerSize) return undefined;
  const bytes = await device.read(device.size - trailerSize, trailerSize);
  const trailer = decodeTrailer(bytes);
  return trailer && describeTrailer(trailer, name);
}

/** Decodes the commit of a trailer. Throws CORRUPT_TRAILER when the two do not belong together. */
export function describeTrailer(trailer: Trailer, where: string): SlotContents {
  const commit = decodeCommit(trailer.commit, where);
  const image = promisedImage(commit);
  if (image === undefined || image.size !== trailer.imageSize) {
    throw new PineError('CORRUPT_TRAILER', 'a slot and its commit do not agree', {
      expected: `an image of ${trailer.imageSize} bytes`,
      found: image === undefined ? 'a commit without an image' : `${image.size} bytes`,
      where,
      remedy: 'write the slot again: pinectl upgrade',
    });
  }
  return {
    checksum: createHash('sha256').update(trailer.commit).digest('hex'),
    commit,
    version: commitVersion(commit),
    image,
    plan: promisedPlan(commit),
    trailer,
  };
}

/** The `version` that a commit's metadata names; empty when it has none. */
export function commitVersion(commit: Commit): string {
  const found = metadataValue(commit.metadata, 'version');
  return found?.type === 's' ? String(found.value).slice(0, 200) : '';
}

/** The trusted key that signed what is in a slot; `undefined` when none did. */
export async function slotSigner(
  contents: SlotContents,
  keys: readonly PublicKey[],
): Promise<PublicKey | undefined> {
  const signatures = slotSignatures(contents);
  if (signatures.length === 0) return undefined;
  const { findSigner } = await import('../trust/verify.ts');
  return findSigner(contents.trailer.commit, signatures, keys);
}

/** The signatures in a slot's trailer. Whether they are anybody's is not looked at. */
export function slotSignatures({ trailer }: SlotContents): readonly Uint8Array[] {
  const { detachedMetadata } = trailer;
  if (detachedMetadata.length === 0) return [];
  return signaturesOf(decodeDetachedMetadata(detachedMetadata, 'the trailer'));
}

/** Reads a slot's whole image and throws CORRUPT_IMAGE when it is not what its commit promises. */
export async function verifySlot(
  opener: BlockDeviceOpener,
  image: Digest,
  progress?: Progress,
): Promise<void> {
  const device = await opener.open('read');
  try {
    await verifyImage(device, image, progress);
  } finally {
    await device.close();
  }
}
