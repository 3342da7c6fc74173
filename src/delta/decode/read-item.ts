import { corruptDelta } from '../format/corrupt-delta.ts';
import { itemKind, mostExpansion } from '../format/delta-format.ts';
import type { DeltaHeader } from '../format/header.ts';
import { checkPatch, type PatchShape } from './patch-reader.ts';
import type { RecompressedShape } from './recompressed.ts';
import type { StreamReader } from './stream-reader.ts';

/** What the next bytes of the new image are made of. `oldEnd`: where the next item's old bytes are counted from. */
export type Item = { readonly length: number; readonly oldEnd: number } & (
  | { readonly kind: 'literal' | 'zeros' }
  | { readonly kind: 'extent'; readonly offset: number }
  | { readonly kind: 'patch'; readonly shape: PatchShape }
  | { readonly kind: 'recompressed'; readonly shape: RecompressedShape }
);

/** What an item may not go beyond: the two images, and what may be decompressed at a time. */
export interface ItemBounds {
  readonly old: number;
  readonly new: number;
  readonly scratch: number;
}

/** The bounds that a header sets. */
export function boundsOf({ from, to, scratch }: DeltaHeader): ItemBounds {
  return { old: from.image.size, new: to.image.size, scratch };
}

/** Where a reader of the plan stream is. */
export interface ItemPlace {
  readonly at: number;
  readonly oldEnd: number;
  readonly sizes: ItemBounds;
  readonly where: string;
}

/** Reads one item of the plan stream. Throws CORRUPT_DELTA for one beyond either image. */
export async function readItem(plan: StreamReader, place: ItemPlace): Promise<Item> {
  const { at, oldEnd, sizes } = place;
  const where = `${place.where}, the plan at byte ${at} of the image`;
  const kind = await plan.number();
  const length = await plan.number();
  if (length === 0 || length > sizes.new - at) {
    throw corruptDelta(`1 to ${sizes.new - at} bytes`, `${length}`, where);
  }
  switch (kind) {
    case itemKind.literal:
      return { kind: 'literal', length, oldEnd };
    case itemKind.zeros:
      return { kind: 'zeros', length, oldEnd };
    case itemKind.extent: {
      const offset = oldEnd + (await plan.signed());
      if (offset < 0 || offset + length > sizes.old) {
        throw corruptDelta(`bytes of an image of ${sizes.old}`, `${length} at ${offset}`, where);
      }
      return { kind: 'extent', length, offset, oldEnd: offset + length };
    }
    case itemKind.patch: {
      const oldOffset = oldEnd + (await plan.signed());
      const oldSize = await plan.number();
      const mask = await plan.number();
      const copies = await plan.number();
      const shape = { newSize: length, oldOffset, oldSize, mask, copies };
      checkPatch(shape, sizes.old, where);
      return { kind: 'patch', length, shape, oldEnd: oldOffset + oldSize };
    }
    case itemKind.recompressed: {
      const shape = await readRecompressed(plan, length, { ...place, where });
      return { kind: 'recompressed', length, shape, oldEnd: shape.oldOffset + shape.oldLength };
    }
    default:
      throw corruptDelta('kind 0 to 4', `kind ${kind}`, where);
  }
}

async function readRecompressed(
  plan: StreamReader,
  length: number,
  { oldEnd, sizes, where }: ItemPlace,
): Promise<RecompressedShape> {
  const codec = await plan.number();
  const oldOffset = oldEnd + (await plan.signed());
  const oldLength = await plan.number();
  const oldSize = await plan.number();
  const newSize = await plan.number();
  const mask = await plan.number();
  const copies = await plan.number();
  // S5, S9: as much as compresses to so few bytes, and as there is room for.
  const isBounded = newSize > 0 && newSize <= mostExpansion * length && oldSize <= sizes.scratch;
  if (!isBounded || oldOffset < 0 || oldOffset + oldLength > sizes.old) {
    throw corruptDelta(
      `up to ${mostExpansion * length} bytes of up to ${sizes.scratch}, compressed within an image of ${sizes.old}`,
      `${newSize} of ${oldSize}, of ${oldLength} at ${oldOffset}`,
      where,
    );
  }
  const patch = { newSize, oldOffset: 0, oldSize, mask, copies };
  return { codec, length, oldOffset, oldLength, patch: checkPatch(patch, oldSize, where) };
}
