/**
 * A piece of a plan: where the next `length` bytes of an image come from.
 *
 * Segments cover the image from byte 0 to its end, in order, without gaps (docs/plan-format.md).
 */
export type Segment =
  | { readonly kind: 'zeros'; readonly length: number }
  /** At most `maxLiteral` bytes each, so that a plan can be streamed. */
  | {
      readonly kind: 'literal';
      readonly length: number;
      readonly bytes: Uint8Array;
      /** Whoever is done with the bytes may give their memory back, to be used for another segment. */
      readonly giveBack?: (() => void) | undefined;
    }
  /** Bytes of the slot that the machine runs from, at `offset`. */
  | { readonly kind: 'range'; readonly length: number; readonly offset: number }
  /** The whole content of a file object of the repository; `checksum` is the object's, in hex. */
  | { readonly kind: 'object'; readonly length: number; readonly checksum: string };

/** The longest literal, in bytes. */
export const maxLiteral = 65536;
