import type { CopyList } from '../match/copy-list.ts';
import { readSegments, type Segment } from '../pointers/elf.ts';
import { byteOf, learnFrom, Predictor, predictInto } from '../pointers/predictor.ts';
import type { SiteSource } from '../pointers/site-finder.ts';
import { pageSize, pointerClass } from '../pointers/sites.ts';
import type { PointerValues } from './mark-pointers.ts';

/** An old file, a new one, and what is known of the pointers in them. */
export interface FilePair {
  readonly old: Uint8Array;
  readonly bytes: Uint8Array;
  readonly finder: SiteSource | undefined;
}

/** The new file's segments, when both files are of a kind whose pointers are predicted. */
function segmentsOf({ bytes, finder }: FilePair): readonly Segment[] | undefined {
  return finder === undefined ? undefined : readSegments(bytes);
}

/** The bytes that copy `index` begins with before the difference is added, in pieces of a page of the old file. */
export function* referencePieces(
  pair: FilePair,
  copies: CopyList,
  mask: number,
): Generator<{ readonly newStart: number; readonly reference: Uint8Array }> {
  const segments = mask === 0 ? undefined : segmentsOf(pair);
  const predictor = segments && pair.finder && new Predictor(pair.finder, copies, segments);
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    const shift = newStart - oldStart;
    for (let at = oldStart; at < oldStart + length; ) {
      const pageStart = at - (at % pageSize);
      const end = Math.min(pageStart + pageSize, oldStart + length);
      const reference = new Uint8Array(pair.old.subarray(at, end));
      if (predictor !== undefined) {
        const page = pair.old.subarray(pageStart, pageStart + pageSize);
        const sites = predictor.sitesOf(page, pageStart);
        const prediction = { predictor, mask, hint: index, shift };
        predictInto(reference, at, prediction, sites);
        yield { newStart: at + shift, reference };
        learnFrom(pair.bytes.subarray(at + shift, end + shift), at, prediction, sites);
      } else {
        yield { newStart: at + shift, reference };
      }
      at = end;
    }
  }
}

/** Pointers of an old file become what the copies make of them: what the second pass looks for matches with. */
export function movedValues(pair: FilePair, copies: CopyList): PointerValues | undefined {
  const segments = segmentsOf(pair);
  if (segments === undefined || pair.finder === undefined) return undefined;
  const predictor = new Predictor(pair.finder, copies, segments);
  return {
    sitesOf: (page, start) => predictor.sitesOf(page, start),
    valueAt(index, at) {
      const hint = predictor.copyNear(at);
      const copy = copies.at(hint);
      return predictor.predict(index, hint, copy.newStart - copy.oldStart);
    },
  };
}

/** Of longer files every so many pages are looked at: enough to see whether a class pays. */
const longestWhole = 1 << 20;
const sampleEvery = 8;

/** The classes of pointers whose prediction makes this file's difference smaller. */
export function chooseMask(pair: FilePair, copies: CopyList): number {
  const every = pair.old.length > longestWhole ? sampleEvery : 1;
  const segments = segmentsOf(pair);
  if (segments === undefined || pair.finder === undefined) return 0;
  const predictor = new Predictor(pair.finder, copies, segments);
  const gains = new Map<number, number>();
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    const shift = newStart - oldStart;
    for (
      let start = oldStart - (oldStart % pageSize);
      start < oldStart + length;
      start += pageSize
    ) {
      if ((start / pageSize) % every !== 0) continue;
      const sites = predictor.sitesOf(pair.old.subarray(start, start + pageSize), start);
      for (let site = 0; site < sites.count; site++) {
        const at = start + (sites.at[site] ?? 0);
        if (at < oldStart || at >= oldStart + length) continue;
        const value = predictor.predict(site, index, shift);
        if (value === undefined) continue;
        const kind = sites.kind[site] ?? 0;
        const gain = gainOf(pair, at, shift, value, sites.width[site] ?? 0);
        gains.set(kind, (gains.get(kind) ?? 0) + gain);
      }
    }
  }
  return Object.values(pointerClass)
    .filter((kind) => (gains.get(kind) ?? 0) > 0)
    .reduce((mask, kind) => mask | kind, 0);
}

/** How many more bytes of the new file a predicted value hits than the old one. */
function gainOf(
  { old, bytes }: FilePair,
  at: number,
  shift: number,
  value: number,
  width: number,
): number {
  let gain = 0;
  for (let byte = 0; byte < width; byte++) {
    const wanted = bytes[at + shift + byte];
    if ((byteOf(value, byte) & 255) === wanted) gain++;
    if (old[at + byte] === wanted) gain--;
  }
  return gain;
}
