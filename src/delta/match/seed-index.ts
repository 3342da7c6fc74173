/** How closely an old file is looked at. */
export interface MatchEffort {
  /** Bytes that must be equal for a match to be found; a multiple of four. */
  readonly seed: number;
  /** A seed is taken at every so many bytes of the old file; a multiple of four. */
  readonly step: number;
  /** At most so many places with the same hash are compared. */
  readonly chain: number;
}

/** Longer files are looked at less closely: their index would not fit the processor's caches. */
export function effortFor(oldSize: number): MatchEffort {
  return oldSize > 16 << 20 ? { seed: 32, step: 8, chain: 8 } : { seed: 16, step: 4, chain: 24 };
}

/** Where an old file has the same bytes. */
export interface Match {
  oldStart: number;
  length: number;
}

/** Every STEP-th place of an old file by a hash of the SEED bytes there. Memory: about its size. */
export class SeedIndex {
  readonly #old: Uint8Array;
  readonly #view: DataView;
  readonly #effort: MatchEffort;
  readonly #shift: number;
  /** For a hash, the first place + 1; for a place, the next one + 1. Places are counted in steps. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;

  constructor(old: Uint8Array, effort: MatchEffort) {
    this.#old = old;
    this.#view = viewOf(old);
    this.#effort = effort;
    const places = Math.max(0, Math.floor((old.length - effort.seed) / effort.step) + 1);
    const bits = Math.min(24, Math.max(8, 32 - Math.clz32(places)));
    this.#shift = 32 - bits;
    this.#first = new Int32Array(2 ** bits);
    this.#next = new Int32Array(places);
    // From the end, so that the places of a hash come in their order.
    for (let place = places - 1; place >= 0; place--) {
      const at = place * effort.step;
      if (isConstant(this.#view, at, effort.seed)) continue;
      const hash = seedHash(this.#view, at, effort.seed) >>> this.#shift;
      this.#next[place] = this.#first[hash] ?? 0;
      this.#first[hash] = place + 1;
    }
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

function seedHash(view: DataView, at: number, seed: number): number {
  let hash = 0;
  for (let offset = 0; offset < seed; offset += 4) {
    hash = Math.imul(hash ^ view.getInt32(at + offset, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return Math.imul(hash, 0x85ebca6b);
}

/** Runs of one word (padding, mostly) are everywhere and say nothing. */
function isConstant(view: DataView, at: number, seed: number): boolean {
  const word = view.getInt32(at, true);
  for (let offset = 4; offset < seed; offset += 4) {
    if (view.getInt32(at + offset, true) !== word) return false;
  }
  return true;
}
