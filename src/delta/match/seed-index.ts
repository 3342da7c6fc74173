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

/** One loop over all places would be compiled anew for each file, while it runs. */
const placesAtATime = 1024;

/** Where an old file has the same bytes. */
export interface Match {
  oldStart: number;
  length: number;
}

/**
 * Every STEP-th place of an old file by a hash of the SEED bytes there. The same memory is used for one file after the other: about
 * the size of the longest so far.
 */
export class SeedIndex {
  #old: Uint8Array = new Uint8Array(0);
  #effort = effortFor(0);
  #shift = 0;
  /** For a hash, the first place + 1; for a place, the next one + 1. Places are counted in steps. */
  #first = new Int32Array(0);
  #next = new Int32Array(0);
  /** Of the places that are being entered; -1: it is not. */
  readonly #hashes = new Int32Array(placesAtATime);

  /** Enters a file in place of the one before. */
  enter(old: Uint8Array): void {
    const effort = effortFor(old.length);
    this.#old = old;
    this.#effort = effort;
    const places = Math.max(0, Math.floor((old.length - effort.seed) / effort.step) + 1);
    const bits = Math.min(23, Math.max(8, 32 - Math.clz32(places)));
    this.#shift = 32 - bits;
    this.#first = withRoom(this.#first, 2 ** bits);
    this.#next = withRoom(this.#next, places);
    this.#first.fill(0, 0, 2 ** bits);
    const words = wordsOf(old);
    // From the end, so that the places of a hash come in their order.
    for (let to = places; to > 0; to -= placesAtATime) {
      this.#enterPlaces(words, Math.max(0, to - placesAtATime), to);
    }
  }

  /** Gives its memory back. */
  release(): void {
    release(this.#first);
    release(this.#next);
    this.#first = new Int32Array(0);
    this.#next = new Int32Array(0);
    this.#old = new Uint8Array(0);
  }

  /** Enters the places `from` to `to`, the last one first. */
  #enterPlaces(words: Int32Array, from: number, to: number): void {
    const [first, next, shift, hashes] = [this.#first, this.#next, this.#shift, this.#hashes];
    const [seed, step] = [this.#effort.seed / 4, this.#effort.step / 4];
    for (let place = from; place < to; place++) {
      const at = place * step;
      hashes[place - from] = isConstant(words, at, seed)
        ? -1
        : wordsHash(words, at, seed) >>> shift;
    }
    // By itself, for the processor to wait for several of these at a time: they are all over the memory.
    for (let place = to - 1; place >= from; place--) {
      const hash = hashes[place - from] ?? -1;
      if (hash < 0) continue;
      next[place] = first[hash] ?? 0;
      first[hash] = place + 1;
    }
  }

  /** Bytes that must be equal for a match to be found. */
  get seed(): number {
    return this.#effort.seed;
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

/** An array of at least so many numbers: the given one, or one in its place. */
function withRoom(numbers: Int32Array<ArrayBuffer>, length: number): Int32Array<ArrayBuffer> {
  if (numbers.length >= length) return numbers;
  release(numbers);
  return new Int32Array(length);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The hash of a seed of 16 bytes, or of 32. */
function seedHash(view: DataView, at: number, seed: number): number {
  return hashOf(viewSum(view, at), seed === 16 ? 0 : viewSum(view, at + 16));
}

function viewSum(view: DataView, at: number): number {
  return sumOf(
    view.getInt32(at, isLittleEndian),
    view.getInt32(at + 4, isLittleEndian),
    view.getInt32(at + 8, isLittleEndian),
    view.getInt32(at + 12, isLittleEndian),
  );
}

/** The same for a place whose bytes are words of their own. */
function wordsHash(words: Int32Array, at: number, seed: number): number {
  return hashOf(wordsSum(words, at), seed === 4 ? 0 : wordsSum(words, at + 4));
}

function wordsSum(words: Int32Array, at: number): number {
  return sumOf(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
}

/** Four words with multipliers that are odd and without pattern. No step waits for the one before. */
function sumOf(first: number, second: number, third: number, fourth: number): number {
  return (
    (Math.imul(first, 0x9e3779b1) +
      Math.imul(second, 0x85ebca6b) +
      Math.imul(third, 0xc2b2ae35) +
      Math.imul(fourth, 0x27d4eb2f)) |
    0
  );
}

function hashOf(first: number, second: number): number {
  const sum = (first + Math.imul(second, 0x165667b1)) | 0;
  return Math.imul(sum ^ (sum >>> 15), 0x85ebca6b);
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
