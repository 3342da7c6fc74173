import { corruptDelta } from '../format/corrupt-delta.ts';
import { itemKind } from '../format/delta-format.ts';
import { checkPatch, type PatchShape } from './patch-reader.ts';
import type { StreamReader } from './stream-reader.ts';

/** What the next bytes of the new image are made of. `oldEnd`: where the next item's old bytes are counted from. */
export type Item = { readonly length: number; readonly oldEnd: number } & (
  | { readonly kind: 'literal' | 'zeros' }
  | { readonly kind: 'extent'; readonly offset: number }
  | { readonly kind: 'patch'; readonly shape: PatchShape }
);

/** Where a reader of the plan stream is. */
export interface ItemPlace {
  readonly at: number;
  readonly oldEnd: number;
  /** Of the two images. */
  readonly sizes: { readonly old: number; readonly new: number };
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
    default:
      throw corruptDelta('kind 0 to 3', `kind ${kind}`, where);
  }
}
