import type { CopyList } from '../../match/copy-list.ts';
import { BtfNumbers } from '../btf/numbers.ts';
import { elfHeaderRoom } from '../elf/header.ts';
import type { Segment } from '../elf/segments.ts';
import { int32, writeNumber, writeNumberWithin } from '../little-endian.ts';
import { learningClasses } from '../pointer-class.ts';
import type { SiteSource } from '../site-source.ts';
import { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import { AddressMap } from './address-map.ts';
import { CopyMap } from './copy-map.ts';
import type { MovedBytes } from './moved-bytes.ts';
import { PredictorMemory } from './predictor-memory.ts';
import { RecentSites } from './recent-sites.ts';
import { SiteValues } from './site-values.ts';

const noSites = new Sites();

/**
 * Rewrites the pointers of an old file to what they will probably be in the new one: site and target
 * are carried through the list of copies. Shared by encoder and decoder, which must agree in every byte.
 */
export class Predictor {
  readonly #recent: RecentSites;
  readonly #map: CopyMap;
  readonly #pointers: SiteValues;
  readonly #values: Float64Array;
  /** What had been learned by the time that they were predicted. */
  #learned = 0;
  /** Of a file with types. */
  readonly #numbers: BtfNumbers | undefined;
  /** The page that sites were asked for last. */
  #page = -1;
  #sites = noSites;

  /** Only the predictor that was made last of a memory may be used. What is learned of types is learned in `btf`. */
  constructor(
    source: SiteSource,
    copies: CopyList,
    newSegments: readonly Segment[],
    memory = new PredictorMemory(),
    btf = memory.btf,
  ) {
    const { segments, btf: types } = source.elf;
    this.#recent = new RecentSites(source, memory.sites);
    this.#map = new CopyMap(copies);
    this.#pointers = new SiteValues(new AddressMap(segments, newSegments, this.#map), memory);
    this.#values = memory.values;
    this.#numbers = types && new BtfNumbers(btf, types.names, this.#map);
  }

  /** The sites of the page that begins at `start`. What else is asked for is about this page, until another is. */
  sitesOf(page: Uint8Array, start: number): Sites {
    if (this.#page === start) return this.#sites;
    this.#sites = this.#recent.of(page, start);
    this.#page = start;
    return this.#sites;
  }

  /**
   * Writes the predicted values of the page's sites into `bytes`, which are a copy of those of the page that `moved` tells.
   * Those of types only when it is told what the bytes become; else `addNumbers` is for them.
   */
  predictInto(bytes: Uint8Array, moved: MovedBytes, become?: Uint8Array): void {
    const sites = this.#sites;
    const { at, width } = sites;
    const values = this.valuesWithin(moved, become);
    const end = sites.endAt(moved.to);
    for (let index = sites.firstAt(moved.from); index < end; index++) {
      const value = values[index] ?? 0;
      if (Number.isNaN(value)) continue;
      const place = (at[index] ?? 0) - moved.from;
      const size = width[index] ?? 0;
      if (place >= 0 && place + size <= bytes.length) writeNumber(bytes, place, value, size);
      else writeNumberWithin(bytes, place, value, size);
    }
  }

  /**
   * Predicts the numbers of types in `bytes`, in which the differences were added to what the old file has. They are taken one after
   * the other: each tells of those behind it.
   */
  addNumbers(bytes: Uint8Array, moved: MovedBytes): void {
    if (this.#numbers === undefined) return;
    const sites = this.#sites;
    const { at, kind, form, target } = sites;
    const end = sites.endAt(moved.to);
    for (let index = sites.firstAt(moved.from); index < end; index++) {
      if (form[index] !== valueForm.number || !this.#isWhole(index, moved)) continue;
      const place = (at[index] ?? 0) - moved.from;
      this.#numbers.predictIn(bytes, place, kind[index] ?? 0, target[index] ?? 0);
    }
  }

  /**
   * Learns what became of the code and the constants of bytes that `predictInto` was asked for. Sites over their border
   * tell nothing. Nor do tables: where an entry was taken out or put in, those beside it are of something else.
   */
  learnFrom(bytes: Uint8Array, { from, to, mask, hint, shift }: MovedBytes): void {
    const sites = this.#sites;
    const { at, width, kind, form } = sites;
    const end = sites.endAt(to);
    for (let index = sites.firstAt(from); index < end; index++) {
      const start = at[index] ?? 0;
      if (((kind[index] ?? 0) & mask & learningClasses) === 0) continue;
      if (start < from || start + (width[index] ?? 0) > to) continue;
      // An instruction of arm64 may have no room for a value, which what was learned meanwhile can change.
      const isAlways = (form[index] ?? 0) <= valueForm.toSite;
      if (!isAlways) {
        const isAsItWas = this.#pointers.learned === this.#learned;
        const value = isAsItWas ? this.#values[index] : this.#predict(index, hint, shift);
        if (Number.isNaN(value)) continue;
      }
      this.#pointers.learn(sites, index, int32(bytes, start - from));
    }
  }

  /**
   * The predicted values of the sites from `firstAt(from)` to `endAt(to)`, by their numbers; NaN where nothing can be told, and for those that are
   * not in `mask` or have none of the bytes. Those of types are told, and learned, only with what the bytes become. Good until others are
   * asked for.
   */
  valuesWithin(moved: MovedBytes, become?: Uint8Array): Float64Array {
    const { from, to, mask, hint, shift } = moved;
    const sites = this.#sites;
    const { at, width, kind, form } = sites;
    const values = this.#values;
    const end = sites.endAt(to);
    this.#learned = this.#pointers.learned;
    for (let index = sites.firstAt(from); index < end; index++) {
      const start = at[index] ?? 0;
      if (form[index] === valueForm.number) {
        const isTold = become !== undefined && this.#isWhole(index, moved);
        values[index] = isTold
          ? this.#predictNumber(index, int32(become, start - from))
          : Number.NaN;
        continue;
      }
      const isWanted =
        start < to && start + (width[index] ?? 0) > from && (mask & (kind[index] ?? 0)) !== 0;
      values[index] = isWanted ? this.#predict(index, hint, shift) : Number.NaN;
    }
    return values;
  }

  /** The same for all sites of the page, each of which moves with the copy that has it, or else with the nearest. */
  valuesNear(): Float64Array {
    const { at, count } = this.#sites;
    const values = this.#values;
    for (let index = 0; index < count; index++) {
      const hint = this.#map.best(this.#page + (at[index] ?? 0));
      values[index] = this.#predict(index, hint, this.#map.shift(hint));
    }
    return values;
  }

  /** The value of a site when its first byte moves by `shift` with the copy `hint`. */
  #predict(index: number, hint: number, shift: number): number {
    const sites = this.#sites;
    return this.#pointers.predict(sites, index, this.#page + (sites.at[index] ?? 0) + shift, hint);
  }

  /** What is predicted for a number of types, which becomes `value`. */
  #predictNumber(index: number, value: number): number {
    const { kind, target } = this.#sites;
    return this.#numbers?.predict(kind[index] ?? 0, target[index] ?? 0, value) ?? Number.NaN;
  }

  /** Whether a site is in the mask, wholly in the bytes, and behind the new file's header. */
  #isWhole(index: number, { from, to, mask, shift }: MovedBytes): boolean {
    const { at, width, kind } = this.#sites;
    const start = at[index] ?? 0;
    if (start < from || start + (width[index] ?? 0) > to) return false;
    return ((kind[index] ?? 0) & mask) !== 0 && this.#page + start + shift >= elfHeaderRoom;
  }
}
