import { PineError } from '../../error.ts';
import { veritySize } from '../../image/slot.ts';
import { trailerSize } from '../../image/trailer.ts';

/** How full a slot is. */
export interface Fit {
  /** Bytes that an image of this size may grow by. */
  readonly left: number;
  /** Share of the slot that image, verity tree and trailer take, 0 to 1. */
  readonly share: number;
  /** What to tell the user: above 75 %, because slot sizes are for ever. */
  readonly warning: string | undefined;
}

/** Checks that an image fits into a slot (bytes). Throws SPACE_SLOT, saying by how much it does not (S10). */
export function checkFits(imageSize: number, slotSize: number, layoutName: string): Fit {
  const taken = imageSize + veritySize(imageSize) + trailerSize;
  const left = slotSize - taken;
  if (left < 0) {
    throw new PineError('SPACE_SLOT', 'the image does not fit into a slot', {
      expected: `at most ${slotSize} bytes, with ${taken - imageSize} for verity tree and trailer`,
      found: `${taken} bytes: ${-left} too many`,
      where: layoutName,
      remedy: 'remove packages from the tree, or deploy to disks with a layout of larger slots',
    });
  }
  const share = taken / slotSize;
  const percent = Math.floor(share * 100);
  const warning =
    share > 0.75
      ? `the slot is ${percent} % full (${layoutName}): slot sizes are for ever, and images grow`
      : undefined;
  return { left, share, warning };
}
