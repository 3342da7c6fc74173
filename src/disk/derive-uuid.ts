import { createHash } from 'node:crypto';

/**
 * A UUID that follows from its inputs alone, in upper case (RFC 9562, version 8).
 *
 * Images made from the same commit and layout are the same byte for byte, their identifiers
 * included: docs/layouts.md says when to choose others.
 */
export function deriveUuid(seed: string, purpose: string): string {
  const bytes = createHash('sha256').update(`pine uuid\0${seed}\0${purpose}`).digest();
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex', 0, 16).toUpperCase();
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
