import { metadataValue } from './commit-object.ts';
import { bytes } from './gvariant/basic.ts';
import { decode } from './gvariant/codec.ts';
import { array } from './gvariant/containers.ts';
import { type Dictionary, dictionary } from './gvariant/variant.ts';

/** Where OSTree keeps Ed25519 signatures of the commit object's bytes: type `aay`. */
const signatureKey = 'ostree.sign.ed25519';

/** The bytes of a .commitmeta: `a{sv}`. */
export function encodeDetachedMetadata(metadata: Dictionary): Buffer {
  return dictionary.encode(metadata);
}

/** Reads a .commitmeta; nothing in it is covered by a checksum. Throws CORRUPT_GVARIANT. */
export function decodeDetachedMetadata(object: Uint8Array, where: string): Dictionary {
  return decode(dictionary, object, where);
}

/** The Ed25519 signatures of detached metadata, as they are there: not checked. */
export function signaturesOf(metadata: Dictionary): readonly Uint8Array[] {
  const found = metadataValue(metadata, signatureKey);
  return found?.type === array(bytes).type ? (found.value as readonly Uint8Array[]) : [];
}

/** Detached metadata with signatures added that are not there yet; other entries stay as they are. */
export function withSignatures(
  metadata: Dictionary,
  signatures: readonly Uint8Array[],
): Dictionary {
  const value = [...signaturesOf(metadata)];
  for (const signature of signatures) {
    if (!value.some((present) => Buffer.compare(present, signature) === 0)) value.push(signature);
  }
  return [
    ...metadata.filter(([key]) => key !== signatureKey),
    [signatureKey, { type: 'aay', value }],
  ];
}
