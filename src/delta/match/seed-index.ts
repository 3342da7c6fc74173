import { release } from './release.ts';

/** How closely an old file is looked at. */
export interface MatchEffort {
  /** Bytes that must be equal for a match to be found; a multiple of four. */
  readonly seed: number;
  /** A seed is taken at every so many bytes of the old file; a multiple of four. */
  readonly step: number;
  /** At most so many places with the same hash are compared. */
  readonly chain: number;
}

/** Longer files are looked at less closely: their index would fit neither memory nor the processor's caches. */
export function effortFor(oldSize: number): MatchEffort {
  if (oldSize > 64 << 20) return { seed: 32, step: 16, chain: 8 };
  return oldSize > 16 << 20 ? { seed: 32, step: 8, chain: 8 } : { seed: 16, step: 4, chain: 64 };
}

/** Where an old file has the same bytes. */
export interface Match {
  oldStart: number;
  length: number;
}

/** Every STEP-th place of an old file by a hash of the SEED bytes there. Memory: about its size. */
export class SeedIndex {
  readonly #old: Uint8Array;
  readonly #effort: MatchEffort;
  readonly #shift: number;
  /** For a hash, the first place + 1; for a place, the next one + 1. Places are counted in steps. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  /** `earlier` is an index that is no longer needed: the new one takes its memory where it fits. */
  constructor(old: Uint8Array, effort: MatchEffort, earlier?: SeedIndex) {
    this.#old = old;
    this.#effort = effort;
    const places = Math.max(0, Math.floor((old.length - effort.seed) / effort.step) + 1);
    const bits = Math.min(23, Math.max(8, 32 - Math.clz32(places)));
    this.#shift = 32 - bits;
    const buckets = 2 ** bits;
    if (SeedIndex.#hasRoom(earlier, buckets, places)) {
      this.#first = earlier.#first.fill(0);
      this.#next = earlier.#next.fill(0);
    } else {
      this.#first = new Int32Array(buckets);
      this.#next = new Int32Array(places);
    }
    const words = wordsOf(old);
    const [first, next, seed, step] = [this.#first, this.#next, effort.seed / 4, effort.step / 4];
    // From the end, so that the places of a hash come in their order.
    for (let place = places - 1; place >= 0; place--) {
      const at = place * step;
      if (isConstant(words, at, seed)) continue;
      const hash = wordsHash(words, at, seed) >>> this.#shift;
      next[place] = first[hash] ?? 0;
      first[hash] = place + 1;
    }
  }

  /** Gives its memory back. Nothing can be found afterwards. */
  release(): void {
    release(this.#first);
    release(this.#next);
  }

  static #hasRoom(
    index: SeedIndex | undefined,
    buckets: number,
    places: number,
  ): index is SeedIndex {
    if (index === undefined) return false;
    return index.#first.length === buckets && index.#next.length === places;
  }

  /** The longest match of what begins at `at` of another file, if it is at least a seed long. */
  longest(bytes: Uint8Array, view: DataView, at: number, found: Match): boolean {
    const { seed, step, chain } = this.#effort;
    found.length = 0;
    if (at + seed > bytes.length) return false;
    const old = this.#old;
    let place = this.#first[seedHash(view, at, seed) >>> this.#shift] ?? 0;
    for (let tries = 0; place !== 0 && tries < chain; tries++) {
      const from = (place - 1) * step;
      place = this.#next[place - 1] ?? 0;
      const best = found.length;
      if (best > 0 && old[from + best] !== bytes[at + best]) continue;
      const limit = Math.min(old.length - from, bytes.length - at);
      let length = 0;
      while (length < limit && old[from + length] === bytes[at + length]) length++;
      if (length > best && length >= seed) {
        found.length = length;
        found.oldStart = from;
      }
    }
    return found.length > 0;
  }
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Multipliers that are odd and without pattern; one for each word of the longest seed. */
const multipliers = Int32Array.of(
  0x9e3779b1,
  0x85ebca6b,
  0xc2b2ae35,
  0x27d4eb2f,
  0x165667b1,
  0x2545f491,
  0x5851f42d,
  0x14057b7f,
);

function seedHash(view: DataView, at: number, seed: number): number {
  let hash = 0;
  // No step waits for the one before.
  for (let word = 0; word < seed >> 2; word++) {
    hash =
      (hash + Math.imul(view.getInt32(at + 4 * word, isLittleEndian), multipliers[word] ?? 1)) | 0;
  }
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
}

/** The same for a place whose bytes are words of their own: most of what making an index costs. */
function wordsHash(words: Int32Array, at: number, seed: number): number {
  let hash = 0;
  for (let word = 0; word < seed; word++) {
    hash = (hash + Math.imul(words[at + word] ?? 0, multipliers[word] ?? 1)) | 0;
  }
  return Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
}

/** All whole words of a file, in the processor's order. A copy where they do not lie as it wants them. */
function wordsOf(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(buffer, byteOffset, length >> 2);
}

const isLittleEndian = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;

/** Runs of one word (padding, mostly) are everywhere and say nothing. */
function isConstant(words: Int32Array, at: number, seed: number): boolean {
  const word = words[at];
  for (let index = 1; index < seed; index++) if (words[at + index] !== word) return false;
  return true;
}
