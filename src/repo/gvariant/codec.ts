import { PineError } from '../../error.ts';

/**
 * How values of one GVariant type are written and read.
 *
 * Source of the format: the GVariant specification (GNOME) and docs/repository.md. Containers place
 * children at multiples of their alignment, counted from the container's own start.
 */
export interface Codec<T> {
  /** The type string, such as `a{sv}`. */
  readonly type: string;
  readonly alignment: number;
  /** Bytes that every value takes; `undefined` when it depends on the value. */
  readonly fixedSize: number | undefined;
  encode(value: T): Buffer;
  /** Reads the value that `bytes` is, all of it. Throws GVariantError. `depth` counts nested variants. */
  decode(bytes: Buffer, depth: number): T;
}

/** Bytes that are no value of their type. `decode` below turns it into a PineError. */
export class GVariantError extends Error {
  override readonly name = 'GVariantError';
}

/**
 * Reads a whole serialized value in normal form; `where` names it in the error.
 *
 * A value has one normal form: so bytes are normal when writing what was read gives them again.
 * Everything that a lenient reader would let through (padding, overlong offsets, bad UTF-8) is
 * refused with that. Throws CORRUPT_GVARIANT.
 */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array, where: string): T {
  const buffer = asBuffer(bytes);
  try {
    const value = codec.decode(buffer, 0);
    if (!codec.encode(value).equals(buffer)) throw new GVariantError('it is not in normal form');
    return value;
  } catch (error) {
    if (!(error instanceof GVariantError)) throw error;
    throw corruptGVariant(codec.type, bytes.length, error.message, where);
  }
}

/** The error for bytes that are no value of a type. */
export function corruptGVariant(
  type: string,
  length: number,
  found: string,
  where: string,
): PineError {
  return new PineError('CORRUPT_GVARIANT', 'an object is not what its type says', {
    expected: `a GVariant of type ${type} in normal form`,
    found: `${length} bytes: ${found}`,
    where,
    remedy: 'fetch or commit it again; `pinectl fsck` lists all damaged objects',
  });
}

/** The same bytes as a Buffer, not copied. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
