import type { CopyList } from '../match/copy-list.ts';
import { BtfMemory } from './btf-memory.ts';
import { BtfNumbers } from './btf-numbers.ts';
import { int32 } from './code-sites.ts';
import { CopyMap } from './copy-map.ts';
import { elfHeaderRoom, type Segment } from './elf.ts';
import { LearnedTargets } from './learned-targets.ts';
import { decodeTarget, encodeValue } from './pointer-value.ts';
import type { SiteSource } from './site-finder.ts';
import { learningClasses, maxSites, Sites, valueForm } from './sites.ts';

/** Sites of so many pages are kept: 40 KB each. */
const recentPages = 4;
const noSites = new Sites();

/** What predictors take, for one after the other: made anew for each file it would be taken back too late. 0.7 MiB, and what is known of types (S9). */
export class PredictorMemory {
  readonly sites: readonly Sites[] = Array.from({ length: recentPages }, () => new Sites());
  readonly learned = new LearnedTargets();
  readonly btf = new BtfMemory();
  readonly mapped = new Float64Array(maxSites);
  readonly site = new Float64Array(maxSites);
  readonly base = new Float64Array(maxSites);
  readonly inMemory = new Uint8Array(maxSites);
  readonly values = new Float64Array(maxSites);
}

/**
 * Rewrites the pointers of an old file to what they will probably be in the new one: site and target
 * are carried through the list of copies. Shared by encoder and decoder, which must agree in every byte.
 */
export class Predictor {
  readonly #finder: SiteSource;
  readonly #oldSegments: readonly Segment[];
  readonly #map: CopyMap;
  readonly #newSegments: readonly Segment[];
  /** Of the pages used last, the last one in front: copies go to and fro between a few. */
  readonly #recent: { page: number; readonly sites: Sites }[] = [];
  readonly #memory: PredictorMemory;
  readonly #learned: LearnedTargets;
  /** For each site that was predicted last: where the copies lead its target, and what its value is relative to. */
  readonly #mapped: Float64Array;
  readonly #site: Float64Array;
  readonly #base: Float64Array;
  /** And whether that is memory behind the content of the file. */
  readonly #inMemory: Uint8Array;
  readonly #values: Float64Array;
  /** Of a file with types. */
  readonly #numbers: BtfNumbers | undefined;
  #page = -1;
  #sites = noSites;
  #isNear = false;
  #isMemory = false;

  /** Only the predictor that was made last of a memory may be used. What is learned of types is learned in `btf`. */
  constructor(
    finder: SiteSource,
    copies: CopyList,
    newSegments: readonly Segment[],
    memory = new PredictorMemory(),
    btf = memory.btf,
  ) {
    this.#finder = finder;
    this.#oldSegments = finder.elf.segments;
    this.#map = new CopyMap(copies);
    this.#newSegments = newSegments;
    this.#memory = memory;
    this.#learned = memory.learned;
    this.#learned.clear();
    this.#mapped = memory.mapped;
    this.#site = memory.site;
    this.#base = memory.base;
    this.#inMemory = memory.inMemory;
    this.#values = memory.values;
    const types = finder.elf.btf;
    this.#numbers = types && new BtfNumbers(btf, types.names, this.#map);
  }

  /** Finds the sites of the page that begins at `start`, unless it is one of those used last. */
  sitesOf(page: Uint8Array, start: number): Sites {
    if (this.#page === start) return this.#sites;
    const recent = this.#recent;
    const known = recent.findIndex((each) => each.page === start);
    let entry = recent[known];
    if (entry === undefined) {
      const sites = this.#memory.sites[recent.length] ?? noSites;
      entry = recent.length === recentPages ? recent.pop() : undefined;
      entry ??= { page: start, sites };
      entry.page = start;
      this.#finder.find(page, start, entry.sites);
    } else {
      recent.splice(known, 1);
    }
    recent.unshift(entry);
    this.#page = start;
    this.#sites = entry.sites;
    return entry.sites;
  }

  /**
   * Writes the predicted values of sites of the page found last into `bytes`, which are a copy of those of the page that `moved` tells.
   * Those of types only when it is told what the bytes become; else `addNumbers` is for them.
   */
  predictInto(bytes: Uint8Array, moved: MovedBytes, become?: Uint8Array): void {
    const { at, width, count } = this.#sites;
    const values = this.valuesWithin(moved, become);
    for (let index = 0; index < count; index++) {
      const value = values[index] ?? 0;
      if (Number.isNaN(value)) continue;
      const place = (at[index] ?? 0) - moved.from;
      const size = width[index] ?? 0;
      if (place >= 0 && place + size <= bytes.length) {
        writeWord(bytes, place, value | 0);
        if (size === 8) writeWord(bytes, place + 4, upperHalf(value));
        continue;
      }
      for (let byte = Math.max(0, -place); byte < size && place + byte < bytes.length; byte++) {
        bytes[place + byte] = byteOf(value, byte);
      }
    }
  }

  /**
   * Predicts the numbers of types in `bytes`, in which the differences were added to what the old file has. They are taken one after
   * the other: each tells of those behind it.
   */
  addNumbers(bytes: Uint8Array, moved: MovedBytes): void {
    if (this.#numbers === undefined) return;
    const { at, kind, form, target, count } = this.#sites;
    for (let index = 0; index < count; index++) {
      if (form[index] !== valueForm.number || !this.#isWhole(index, moved)) continue;
      const place = (at[index] ?? 0) - moved.from;
      const old = target[index] ?? 0;
      const predicted = this.#numbers.predict(kind[index] ?? 0, old);
      for (let byte = 0; byte < 4; byte++) {
        const difference = (bytes[place + byte] ?? 0) - byteOf(old, byte);
        bytes[place + byte] = byteOf(predicted, byte) + difference;
      }
      this.#numbers.learn(kind[index] ?? 0, old, int32(bytes, place));
    }
  }

  /** What is predicted for a number of types, which becomes `value`. */
  #predictNumber(index: number, value: number): number {
    const { kind, target } = this.#sites;
    const [ofKind, old] = [kind[index] ?? 0, target[index] ?? 0];
    const predicted = this.#numbers?.predict(ofKind, old);
    this.#numbers?.learn(ofKind, old, value);
    return predicted ?? Number.NaN;
  }

  /** Whether a site is in the mask, wholly in the bytes, and behind the new file's header. */
  #isWhole(index: number, { from, to, mask, shift }: MovedBytes): boolean {
    const { at, width, kind } = this.#sites;
    const start = at[index] ?? 0;
    if (start < from || start + (width[index] ?? 0) > to) return false;
    return ((kind[index] ?? 0) & mask) !== 0 && this.#page + start + shift >= elfHeaderRoom;
  }

  /**
   * Learns what became of the code and the constants of bytes that `predictInto` was asked for. Sites over their border
   * tell nothing. Nor do tables: where an entry was taken out or put in, those beside it are of something else.
   */
  learnFrom(bytes: Uint8Array, { from, to, mask, hint, shift }: MovedBytes): void {
    const { at, width, kind, form, count } = this.#sites;
    for (let index = 0; index < count; index++) {
      const start = at[index] ?? 0;
      if (((kind[index] ?? 0) & mask & learningClasses) === 0) continue;
      if (start < from || start + (width[index] ?? 0) > to) continue;
      // An instruction of arm64 may have no room for a value, which what was learned meanwhile can change.
      const isAlways = (form[index] ?? 0) <= valueForm.toSite;
      if (!isAlways && Number.isNaN(this.#predict(index, hint, shift))) continue;
      this.#learn(index, int32(bytes, start - from));
    }
  }

  /**
   * The predicted values of sites of the page found last, by their numbers; NaN where nothing can be told, and for those that are
   * not in `mask` or have none of the bytes. Those of types are told, and learned, only with what the bytes become. Good until others are
   * asked for.
   */
  valuesWithin(moved: MovedBytes, become?: Uint8Array): Float64Array {
    const { from, to, mask, hint, shift } = moved;
    const { at, width, kind, form, count } = this.#sites;
    const values = this.#values;
    for (let index = 0; index < count; index++) {
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

  /** The same for all sites of that page, each of which moves with the copy that has it, or else with the nearest. */
  valuesNear(): Float64Array {
    const { at, count } = this.#sites;
    const values = this.#values;
    for (let index = 0; index < count; index++) {
      const hint = this.#map.best(this.#page + (at[index] ?? 0));
      values[index] = this.#predict(index, hint, this.#map.shift(hint));
    }
    return values;
  }

  /** The value of a site of the page found last when its byte 0 moves by `shift` with the copy `hint`. */
  #predict(index: number, hint: number, shift: number): number {
    const sites = this.#sites;
    const form = sites.form[index] ?? 0;
    this.#mapped[index] = Number.NaN;
    if (form === valueForm.number) return Number.NaN;
    const offset = this.#page + (sites.at[index] ?? 0) + shift;
    if (offset < elfHeaderRoom) return Number.NaN;
    const old = sites.target[index] ?? 0;
    const mapped = this.#newAddress(old, hint);
    if (mapped === undefined) return Number.NaN;
    const isNear = this.#isNear;
    const known = this.#isMemory ? this.#learned.shiftNear(old) : 0;
    this.#inMemory[index] = this.#isMemory ? 1 : 0;
    const isRelative = form === valueForm.fromBase || form === valueForm.offset12;
    const base = isRelative ? this.#known(sites.base[index] ?? 0, hint) : 0;
    const site =
      isRelative || form === valueForm.address ? 0 : addressOf(this.#newSegments, offset);
    if (base === undefined || site === undefined) return Number.NaN;
    this.#mapped[index] = isNear ? Number.NaN : mapped;
    this.#base[index] = base;
    this.#site[index] = site;
    const target = isNear ? mapped : (this.#learned.find(old) ?? mapped + known);
    return encodeValue(form, sites.extra[index] ?? 0, site, target, base) ?? Number.NaN;
  }

  /** What is learned of a site that was predicted, whose value came out as `value`. */
  #learn(index: number, value: number): void {
    const { form, extra, target } = this.#sites;
    const old = target[index] ?? 0;
    const mapped = this.#mapped[index] ?? Number.NaN;
    if (Number.isNaN(mapped)) return;
    const [site, base] = [this.#site[index] ?? 0, this.#base[index] ?? 0];
    const found = decodeTarget(form[index] ?? 0, extra[index] ?? 0, site, base, value, mapped);
    if (found === undefined) return;
    if (this.#inMemory[index] === 1) this.#learned.setShift(old, found - mapped);
    if (found === mapped) this.#learned.forget(old);
    else this.#learned.set(old, found);
  }

  #known(address: number, hint: number): number | undefined {
    const mapped = this.#newAddress(address, hint);
    return this.#isNear ? mapped : (this.#learned.find(address) ?? mapped);
  }

  /** Where what an old address meant is in the new file's memory. */
  #newAddress(address: number, hint: number): number | undefined {
    const segments = this.#oldSegments;
    this.#isNear = false;
    this.#isMemory = false;
    for (let index = 0; index < segments.length; index++) {
      const segment = segments[index];
      if (segment === undefined) continue;
      const inside = address - segment.address;
      if (inside < 0 || inside > segment.memorySize) continue;
      if (inside < segment.fileSize) {
        const offset = segment.offset + inside;
        const near = this.#map.near(offset, hint);
        this.#isNear = near >= 0;
        const copy = near < 0 ? this.#map.best(offset) : near;
        return addressOf(this.#newSegments, offset + this.#map.shift(copy));
      }
      // Memory that no file content is loaded into keeps its distance from the content before it.
      const moved = this.#newSegments[index];
      if (moved === undefined) return undefined;
      this.#isMemory = true;
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

/** Bytes `from` to `to` of a page, which move by `shift` with the copy `hint`; of their sites, those in `mask` are predicted. */
export interface MovedBytes {
  readonly from: number;
  readonly to: number;
  readonly mask: number;
  readonly hint: number;
  readonly shift: number;
}

/** Writes four bytes, little-endian. */
export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >> 8;
  bytes[at + 2] = word >> 16;
  bytes[at + 3] = word >> 24;
}

/** The upper four of the eight bytes of a number in two's complement. */
export function upperHalf(value: number): number {
  return Math.floor(value / 2 ** 32) | 0;
}

/** A byte of a number in two's complement, little-endian. */
export function byteOf(value: number, byte: number): number {
  return byte < 4 ? (value | 0) >>> (8 * byte) : upperHalf(value) >>> (8 * (byte - 4));
}
