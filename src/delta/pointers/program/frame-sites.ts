import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** The pairs of a frame index: a function and its frame, both relative to the index. */
export function findFrameIndexSites(page: Uint8Array, part: PagePart, sites: Sites): void {
  const index = part.address - part.before;
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    const inside = part.before + at - part.from;
    if (at < part.from || inside < 12) continue;
    sites.add(at, pointerClass.frameIndex, valueForm.fromBase, index + int32(page, at), 1, index);
  }
}

/** Frames, from `first` (of the page) on: the way back to the common part, and the function. */
export function findFrameSites(
  page: Uint8Array,
  part: PagePart,
  first: number,
  sites: Sites,
): void {
  for (let at = first; at + 12 <= part.to; ) {
    const length = int32(page, at) >>> 0;
    if (length < 4 || length > 1 << 20) return;
    const common = int32(page, at + 4);
    if (common !== 0) {
      const here = part.address + at - part.from;
      sites.add(at + 4, pointerClass.frame, valueForm.toSite, here + 4 - common);
      sites.add(at + 8, pointerClass.frame, valueForm.fromSite, here + 8 + int32(page, at + 8));
    }
    at += 4 + length;
  }
}
