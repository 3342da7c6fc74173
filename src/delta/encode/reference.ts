import type { CopyList } from '../match/copy-list.ts';
import { release } from '../match/release.ts';
import type { BtfMemory } from '../pointers/btf/memory.ts';
import { readSegments, type Segment } from '../pointers/elf/segments.ts';
import { byteOf } from '../pointers/little-endian.ts';
import { allClasses } from '../pointers/pointer-class.ts';
import { Predictor } from '../pointers/predict/predictor.ts';
import type { PredictorMemory } from '../pointers/predict/predictor-memory.ts';
import { pageSize, type Sites } from '../pointers/sites.ts';
import type { PointerValues } from './mark-pointers.ts';
import type { RememberedSites } from './remembered-sites.ts';

/** An old file, a new one, and what is known of the pointers in them. */
export interface FilePair {
  readonly old: Uint8Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly finder: RememberedSites | undefined;
  /** What predicting takes: of one predictor, and one pair, after the other. */
  readonly memory: PredictorMemory;
  /** What is learned of types on trial, and what those of this pair go on from. */
  readonly trial: BtfMemory;
}

/** Gives the memory of a pair back. Nothing can be read of it afterwards. */
export function releasePair({ old, bytes, finder }: FilePair): void {
  release(old);
  release(bytes);
  finder?.release();
}

/** The new file's segments, when both files are of a kind whose pointers are predicted. */
function segmentsOf({ bytes, finder }: FilePair): readonly Segment[] | undefined {
  return finder === undefined ? undefined : readSegments(bytes);
}

/**
 * The bytes that copies begin with before the differences are added, in pieces of a page of the old file; each is good until the next is
 * asked for.
 */
export function* referencePieces(
  pair: FilePair,
  copies: CopyList,
  mask: number,
): Generator<{ readonly newStart: number; readonly reference: Uint8Array }> {
  const segments = mask === 0 ? undefined : segmentsOf(pair);
  const predictor =
    segments && pair.finder && new Predictor(pair.finder, copies, segments, pair.memory);
  const buffer = new Uint8Array(pageSize);
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    const shift = newStart - oldStart;
    for (let at = oldStart; at < oldStart + length; ) {
      const pageStart = at - (at % pageSize);
      const end = Math.min(pageStart + pageSize, oldStart + length);
      const reference = buffer.subarray(0, end - at);
      reference.set(pair.old.subarray(at, end));
      if (predictor !== undefined) {
        predictor.sitesOf(pair.old.subarray(pageStart, pageStart + pageSize), pageStart);
        const moved = { from: at - pageStart, to: end - pageStart, mask, hint: index, shift };
        predictor.predictInto(reference, moved, pair.bytes.subarray(at + shift, end + shift));
        yield { newStart: at + shift, reference };
        predictor.learnFrom(pair.bytes.subarray(at + shift, end + shift), moved);
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
  const predictor = new Predictor(pair.finder, copies, segments, pair.memory, pair.trial);
  return {
    sitesOf: (page, start) => predictor.sitesOf(page, start),
    values: () => predictor.valuesNear(),
  };
}

/** Of longer files every so many pages are looked at: enough to see whether a class pays. */
const longestWhole = 1 << 20;
const sampleEvery = 8;
/** Of sections up to this size all pages are: of a few, none might be. */
const smallSection = 128 << 10;

/** The classes of pointers whose prediction makes this file's difference smaller. */
export function chooseMask(pair: FilePair, copies: CopyList): number {
  return tryClasses(pair, copies).mask;
}

/** A class that made the difference so many bytes smaller is taken to do so in the whole file. */
const sure = 256;

/** Whether any class does. Of a file with types all is looked at: what the trial learns of them is gone on from. */
export function isPredictable(pair: FilePair, copies: CopyList): boolean {
  const learns = pair.finder?.elf.btf !== undefined;
  return tryClasses(pair, copies, learns ? undefined : sure).mask !== 0;
}

/** Predicts all classes, a page of the old file after the other, until one has gained `enough` bytes; tells what each gained. */
function tryClasses(pair: FilePair, copies: CopyList, enough = Number.POSITIVE_INFINITY): Gains {
  const gains = new Gains();
  const isSample = samplePages(pair);
  const segments = segmentsOf(pair);
  if (segments === undefined || pair.finder === undefined) return gains;
  pair.trial.become(pair.memory.btf);
  const predictor = new Predictor(pair.finder, copies, segments, pair.memory, pair.trial);
  for (let index = 0; index < copies.count; index++) {
    const { newStart, oldStart, length } = copies.at(index);
    const shift = newStart - oldStart;
    for (
      let start = oldStart - (oldStart % pageSize);
      start < oldStart + length;
      start += pageSize
    ) {
      if (!isSample(start / pageSize)) continue;
      const sites = predictor.sitesOf(pair.old.subarray(start, start + pageSize), start);
      const from = Math.max(0, oldStart - start);
      const to = Math.min(pageSize, oldStart + length - start);
      const become = pair.bytes.subarray(start + from + shift, start + to + shift);
      const moved = { from, to, mask: allClasses, hint: index, shift };
      const values = predictor.valuesWithin(moved, become);
      gains.add(pair, { start, from, to, shift }, sites, values);
      if (gains.most >= enough) return gains;
    }
  }
  return gains;
}

/** Tells which pages of the old file are looked at. */
function samplePages({ old, finder }: FilePair): (page: number) => boolean {
  if (finder === undefined || old.length <= longestWhole) return () => true;
  const small = new Set<number>();
  for (const { offset, size } of finder.elf.sections) {
    if (size > smallSection) continue;
    const end = Math.ceil((offset + size) / pageSize);
    for (let page = Math.floor(offset / pageSize); page < end; page++) small.add(page);
  }
  return (page) => page % sampleEvery === 0 || small.has(page);
}

/** For each class of pointers, how many more bytes of the new file the predicted values hit than the old ones. */
class Gains {
  readonly #byClass = new Int32Array(32);

  /** Those of the sites that begin in a part of the page at `start`, its bytes `from` to `to`. */
  add(
    { old, bytes }: FilePair,
    {
      start,
      from,
      to,
      shift,
    }: {
      readonly start: number;
      readonly from: number;
      readonly to: number;
      readonly shift: number;
    },
    sites: Sites,
    values: Float64Array,
  ): void {
    const { at, width, kind } = sites;
    const end = sites.endAt(to);
    for (let index = sites.firstAt(from); index < end; index++) {
      const value = values[index] ?? 0;
      const place = at[index] ?? 0;
      if (Number.isNaN(value) || place < from) continue;
      const oldAt = start + place;
      const newAt = oldAt + shift;
      let gain = 0;
      for (let byte = 0; byte < (width[index] ?? 0); byte++) {
        const wanted = bytes[newAt + byte];
        if ((byteOf(value, byte) & 255) === wanted) gain++;
        if (old[oldAt + byte] === wanted) gain--;
      }
      const number = 31 - Math.clz32(kind[index] ?? 0);
      this.#byClass[number] = (this.#byClass[number] ?? 0) + gain;
    }
  }

  /** Of the class that gains most. */
  get most(): number {
    return this.#byClass.reduce((most, gain) => Math.max(most, gain));
  }

  get mask(): number {
    return this.#byClass.reduce(
      (mask, gain, number) => (gain > 0 ? mask | (1 << number) : mask),
      0,
    );
  }
}
