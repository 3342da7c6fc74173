import type { CopyList } from '../match/copy-list.ts';
import { CopyMap } from './copy-map.ts';
import { elfHeaderRoom, type Segment } from './elf.ts';
import type { SiteFinder } from './site-finder.ts';
import { pageSize, Sites, siteBase } from './sites.ts';

/**
 * Rewrites the pointers of an old file to what they will probably be in the new one: site and target
 * are carried through the list of copies. Shared by encoder and decoder, which must agree in every byte.
 */
export class Predictor {
  readonly #finder: SiteFinder;
  readonly #map: CopyMap;
  readonly #newSegments: readonly Segment[];
  readonly #sites = new Sites();
  #page = -1;

  constructor(finder: SiteFinder, copies: CopyList, newSegments: readonly Segment[]) {
    this.#finder = finder;
    this.#map = new CopyMap(copies);
    this.#newSegments = newSegments;
  }

  /** The number of the copy that holds an old byte, or the nearest. */
  copyNear(offset: number): number {
    return this.#map.best(offset);
  }

  /** Finds the sites of the page that begins at `start`, unless they are those found last. */
  sitesOf(page: Uint8Array, start: number): Sites {
    if (this.#page !== start) this.#finder.find(page, start, this.#sites);
    this.#page = start;
    return this.#sites;
  }

  /**
   * The value that a site of the page found last has when its byte 0 moves by `shift` with the copy `hint`;
   * `undefined` when nothing can be told.
   */
  predict(index: number, hint: number, shift: number): number | undefined {
    const sites = this.#sites;
    const base = sites.base[index] ?? 0;
    const site = this.#page + (sites.at[index] ?? 0) + shift;
    if (site < elfHeaderRoom) return undefined;
    const target = this.#newAddress(sites.target[index] ?? 0, hint);
    if (target === undefined || base === siteBase.none) return target;
    if (base >= 0) {
      const origin = this.#newAddress(base, hint);
      return origin === undefined ? undefined : target - origin;
    }
    const here = addressOf(this.#newSegments, site);
    if (here === undefined) return undefined;
    if (base === siteBase.backward) return here - target;
    return target - here - (sites.extra[index] ?? 0);
  }

  /** Where what an old address meant is in the new file's memory. */
  #newAddress(address: number, hint: number): number | undefined {
    const { segments } = this.#finder.elf;
    for (let index = 0; index < segments.length; index++) {
      const segment = segments[index];
      if (segment === undefined) continue;
      const inside = address - segment.address;
      if (inside < 0 || inside > segment.memorySize) continue;
      if (inside < segment.fileSize) {
        const offset = segment.offset + inside;
        return addressOf(this.#newSegments, offset + this.#map.shiftOf(offset, hint));
      }
      // Memory that no file content is loaded into keeps its distance from the content before it.
      const moved = this.#newSegments[index];
      if (moved === undefined) return undefined;
      return moved.address + moved.fileSize + inside - segment.fileSize;
    }
    return undefined;
  }
}

function addressOf(segments: readonly Segment[], offset: number): number | undefined {
  for (const segment of segments) {
    const inside = offset - segment.offset;
    if (inside >= 0 && inside < segment.fileSize) return segment.address + inside;
  }
  return undefined;
}

/**
 * Writes the predicted values of a page's sites into `bytes`: a copy of `length` bytes of the old file
 * from `oldStart` on, all of them in this page, that belongs to the copy `hint` and moves by `shift`.
 */
export function predictInto(
  bytes: Uint8Array,
  oldStart: number,
  { predictor, mask, hint, shift }: Prediction,
  sites: Sites,
): void {
  const pageStart = oldStart - (oldStart % pageSize);
  const from = oldStart - pageStart;
  const to = from + bytes.length;
  for (let index = 0; index < sites.count; index++) {
    const at = sites.at[index] ?? 0;
    const width = sites.width[index] ?? 0;
    if (at >= to || at + width <= from || (mask & (sites.kind[index] ?? 0)) === 0) continue;
    const value = predictor.predict(index, hint, shift);
    if (value === undefined) continue;
    for (let byte = 0; byte < width; byte++) {
      const place = at + byte - from;
      if (place >= 0 && place < bytes.length) bytes[place] = byteOf(value, byte);
    }
  }
}

export interface Prediction {
  readonly predictor: Predictor;
  readonly mask: number;
  readonly hint: number;
  readonly shift: number;
}

/** A byte of a number in two's complement, little-endian. */
export function byteOf(value: number, byte: number): number {
  return byte < 4 ? (value | 0) >>> (8 * byte) : Math.floor(value / 2 ** 32) >>> (8 * (byte - 4));
}
