import { lastLiterals, leastMatch, longestDistance } from './block-format.ts';
import type { BlockWindow } from './block-window.ts';

const hashBits = 15;
const hashFactor = 2654435761;
/** So many earlier places are looked at for a match: level 9. */
const mostTries = 256;
const chainMask = 65535;
/** What a search finds where it can't tell before more of the block is there. */
export const needsMore = -1;
/** A place behind all others. */
const none = 2 ** 30;

/**
 * Finds matches in a block exactly as lz4's own high compression does at level 9: which of several is taken
 * decides what comes out. The search for each place follows the chain of earlier places with the same hash.
 */
export class MatchFinder {
  readonly #first = new Int32Array(1 << hashBits);
  /** For a place, how far back the one before it in its chain is. */
  readonly #distance = new Uint16Array(chainMask + 1);
  readonly #window: BlockWindow;
  #bytes: Uint8Array;
  #view: DataView;
  /** Where in the block the window begins. */
  #start = 0;
  /** Matches end here at the latest, a place in the window. */
  #end = 0;
  /** The same place where they end there only because no more of the block is there as yet, else none. */
  #openEnd = none;
  /** Places of the block before this one are in the chains. */
  #known = 0;

  /** The longest match found last: where it begins, in the block and before it. */
  start = 0;
  match = 0;

  constructor(window: BlockWindow) {
    this.#window = window;
    this.#bytes = window.bytes;
    this.#view = window.view;
  }

  /** Begins with a new block. */
  enter(): void {
    this.#start = 0;
    this.#known = 0;
    this.#first.fill(-longestDistance - 1);
  }

  /** To be told when there is something else in the window. */
  see(): void {
    const { bytes, view, start, end, size } = this.#window;
    const moved = start - this.#start;
    if (moved > 0) {
      const first = this.#first;
      for (let hash = 0; hash < first.length; hash++) first[hash] = (first[hash] ?? 0) - moved;
      this.#known -= moved;
    }
    this.#bytes = bytes;
    this.#view = view;
    this.#start = start;
    this.#end = (end < size ? end : size - lastLiterals) - start;
    this.#openEnd = end < size ? this.#end : none;
  }

  /**
   * The length of the longest match over `at` that begins at `low` or behind it, if it is longer than `longest`, which is
   * returned otherwise. `start` and `match` are set in the first case only. `needsMore` when that can't be told as yet.
   */
  find(blockAt: number, blockLow: number, longest: number): number {
    // From here on places are those of the window.
    const windowStart = this.#start;
    const at = blockAt - windowStart;
    const low = blockLow - windowStart;
    const openEnd = this.#openEnd;
    if (at + leastMatch > openEnd) return needsMore;
    this.#learn(at);
    const bytes = this.#bytes;
    const view = this.#view;
    const distances = this.#distance;
    const lowest = Math.max(-windowStart, at - longestDistance);
    const back = at - low;
    const pattern = view.getInt32(at, true);
    let best = longest;
    /** Bytes that are all the same from `at` on: 0 before it was counted, -1 if the first four differ. */
    let run = 0;
    const hash = Math.imul(pattern, hashFactor) >>> (32 - hashBits);
    let candidate = this.#first[hash] ?? 0;
    for (let tries = mostTries; candidate >= lowest && tries > 0; tries--) {
      const tail = low + best - 1;
      const other = candidate - back + best - 1;
      if (
        bytes[tail] === bytes[other] &&
        bytes[tail + 1] === bytes[other + 1] &&
        view.getInt32(candidate, true) === pattern
      ) {
        const before = back === 0 ? 0 : this.#countBefore(at, candidate, low);
        const length = this.#countEqual(at + leastMatch, candidate + leastMatch) + leastMatch;
        if (at + length === openEnd) return needsMore;
        if (length + before > best) {
          best = length + before;
          this.match = windowStart + candidate - before;
          this.start = blockAt - before;
        }
      }
      const next = distances[candidate & chainMask] ?? 0;
      if (next === 1 && run >= 0 && candidate - 1 >= lowest) {
        if (run === 0) {
          const isRun = pattern === ((pattern << 8) | (pattern >>> 24));
          run = isRun ? this.#countRun(at + leastMatch, pattern) + leastMatch : -1;
          if (at + run === openEnd) return needsMore;
        }
        const earlier = candidate - 1;
        if (run > 0 && view.getInt32(earlier, true) === pattern) {
          const forward = this.#countRun(earlier + leastMatch, pattern) + leastMatch;
          const backward = this.#countRunBefore(earlier, pattern, lowest);
          if (backward + forward >= run && forward <= run) {
            candidate = earlier + forward - run;
            continue;
          }
          candidate = earlier - backward;
          if (back === 0) {
            const length = Math.min(backward + forward, run);
            if (best < length) {
              best = length;
              this.match = windowStart + candidate;
              this.start = blockAt;
            }
            candidate -= distances[candidate & chainMask] ?? 0;
          }
          continue;
        }
      }
      candidate -= next;
    }
    return best;
  }

  /** Puts all places of the block before `at` into the chains. */
  #learn(at: number): void {
    const view = this.#view;
    const first = this.#first;
    const distances = this.#distance;
    for (let place = this.#known; place < at; place++) {
      const hash = Math.imul(view.getInt32(place, true), hashFactor) >>> (32 - hashBits);
      const distance = place - (first[hash] ?? 0);
      distances[place & chainMask] = distance > longestDistance ? longestDistance : distance;
      first[hash] = place;
    }
    this.#known = at;
  }

  #countEqual(from: number, other: number): number {
    const view = this.#view;
    const bytes = this.#bytes;
    const end = this.#end;
    let at = from;
    let to = other;
    for (; at < end - 3; at += 4, to += 4) {
      const difference = view.getInt32(at, true) ^ view.getInt32(to, true);
      if (difference !== 0) {
        return at - from + ((31 - Math.clz32(difference & -difference)) >> 3);
      }
    }
    while (at < end && bytes[at] === bytes[to]) {
      at++;
      to++;
    }
    return at - from;
  }

  #countBefore(from: number, match: number, low: number): number {
    const bytes = this.#bytes;
    const most = Math.min(from - low, match + this.#start);
    let count = 0;
    while (count < most && bytes[from - count - 1] === bytes[match - count - 1]) count++;
    return count;
  }

  /** How many bytes from `from` on are like those of `pattern`, which are all the same. */
  #countRun(from: number, pattern: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const byte = pattern & 255;
    let at = from;
    while (at < this.#end - 3 && view.getInt32(at, true) === pattern) at += 4;
    while (at < this.#end && bytes[at] === byte) at++;
    return at - from;
  }

  #countRunBefore(from: number, pattern: number, lowest: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    const byte = pattern & 255;
    let at = from;
    while (at - 4 >= lowest && view.getInt32(at - 4, true) === pattern) at -= 4;
    while (at > lowest && bytes[at - 1] === byte) at--;
    return from - at;
  }
}
