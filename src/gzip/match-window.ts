import { historySize, leastMatch, longestMatch } from './deflate-format.ts';
import { type Effort, type GzipProgram, leastEffort } from './effort.ts';

/** Two halves: what is searched, and what comes. */
const windowSize = 2 * historySize;
/** The window is filled again when less than that is ahead. */
const leastAhead = longestMatch + leastMatch + 1;
/** No match lies farther back. */
const farthest = historySize - leastAhead;
const mask = historySize - 1;
const hashMask = 0x7fff;
const hashShift = 5;

/**
 * The bytes that are compressed next, and those before them, found by a hash of three. A place is one in the window, and smaller
 * by `historySize` once the window has moved; place 0 stands for none, as in gzip, whose every choice has to come out; so has what it takes for a match behind the
 * content's end, where the window still has what was there before. zlib takes nothing for one there.
 * Memory: 192 KiB.
 */
export class MatchWindow {
  /** Behind the last place are zeros. */
  readonly bytes = new Uint8Array(windowSize + longestMatch);
  /** Where the next byte to be compressed is, and how many there are. */
  at = 0;
  ahead = 0;
  /** Where the block that is being made begins; below 0 when that is no longer in the window. */
  blockStart = 0;
  /** Where the match lies that was found last. */
  found = 0;
  /** The last place of each hash, and for each place the one before it with the same hash. */
  readonly #last = new Uint16Array(hashMask + 1);
  readonly #before = new Uint16Array(historySize);
  #hash = 0;
  #effort: Effort = leastEffort;
  #program: GzipProgram = 'gzip';
  /** Bytes of the content that are not in the window yet. */
  #left = 0;
  /** Bytes that are to be added now. */
  #missing = 0;
  #isFirst = true;
  #hasAll = false;

  /** Begins with new content, of `size` bytes. */
  enter(size: number, effort: Effort, program: GzipProgram): void {
    this.bytes.fill(0);
    this.#last.fill(0);
    this.at = 0;
    this.ahead = 0;
    this.blockStart = 0;
    this.found = 0;
    this.#hash = 0;
    this.#effort = effort;
    this.#program = program;
    this.#left = size;
    this.#missing = Math.min(windowSize, size);
    this.#isFirst = true;
    this.#hasAll = false;
  }

  /** How many bytes have to be added before the next is compressed. */
  get missing(): number {
    return this.#missing;
  }

  /** Adds what is missing, or as much of it as there is, and tells how much that was. */
  add(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.#missing);
    this.bytes.set(part, this.at + this.ahead);
    this.ahead += part.length;
    this.#left -= part.length;
    this.#missing -= part.length;
    if (this.#missing === 0) this.#fill();
    if (this.#missing === 0 && this.#isFirst) {
      this.#isFirst = false;
      for (let at = 0; at < leastMatch - 1; at++) this.#addToHash(this.bytes[at] ?? 0);
    }
    return part.length;
  }

  /** Goes on by one byte. */
  advance(): void {
    this.at++;
    this.ahead--;
  }

  /** Whether there is enough ahead; else `missing` tells how much is to be added. */
  hasEnough(): boolean {
    this.#fill();
    return this.#missing === 0;
  }

  /** Makes room for what is to be added. */
  #fill(): void {
    if (this.ahead >= leastAhead || (this.#hasAll && this.#program !== 'zlib')) return;
    if (this.at >= historySize + farthest) this.#move();
    if (this.#hasAll) return;
    this.#missing = Math.min(windowSize - this.ahead - this.at, this.#left);
    this.#hasAll = this.#missing === 0;
    if (this.#hasAll && this.#program === 'gzip') {
      const end = this.at + this.ahead;
      // What is behind them, from long ago, makes matches that reach so far look longer.
      this.bytes.fill(0, end, end + leastMatch - 1);
    }
  }

  #move(): void {
    this.bytes.copyWithin(0, historySize, windowSize);
    this.found -= historySize;
    this.at -= historySize;
    this.blockStart -= historySize;
    for (const places of [this.#last, this.#before]) {
      for (let index = 0; index < historySize; index++) {
        const place = places[index] ?? 0;
        places[index] = place >= historySize ? place - historySize : 0;
      }
    }
  }

  #addToHash(byte: number): void {
    this.#hash = ((this.#hash << hashShift) ^ byte) & hashMask;
  }

  /** Makes the place known, and gives the last one known with the same hash. */
  insert(place: number): number {
    if (this.#program === 'zlib' && this.ahead < leastMatch) return 0;
    const hash = ((this.#hash << hashShift) ^ (this.bytes[place + leastMatch - 1] ?? 0)) & hashMask;
    this.#hash = hash;
    const last = this.#last[hash] ?? 0;
    this.#before[place & mask] = last;
    this.#last[hash] = place;
    return last;
  }

  /** Whether it is worth searching from `candidate` on, with a match of `length` at the byte before. */
  isWorth(candidate: number, length: number): boolean {
    const isNear = candidate !== 0 && this.at - candidate <= farthest;
    if (!isNear || length >= this.#effort.lazy) return false;
    return this.at <= windowSize - leastAhead || this.#program !== 'gzip';
  }

  /**
   * The length of the longest match of what comes that is longer than `least`, else `least`; `found` is where it lies. It may be longer
   * than what is ahead.
   */
  longest(first: number, least: number): number {
    const { bytes, at } = this;
    const { good, nice: enough, candidates } = this.#effort;
    // zlib looks for none that is longer than what is ahead.
    const nice = this.#program === 'zlib' ? Math.min(enough, this.ahead) : enough;
    const before = this.#before;
    const nearest = at > farthest ? at - farthest : 0;
    const [first0, first1] = [bytes[at], bytes[at + 1]];
    let left = least >= good ? candidates >> 2 : candidates;
    let best = least;
    let end = bytes[at + best];
    let beforeEnd = bytes[at + best - 1];
    let candidate = first;
    do {
      if (
        bytes[candidate + best] === end &&
        bytes[candidate + best - 1] === beforeEnd &&
        bytes[candidate] === first0 &&
        bytes[candidate + 1] === first1
      ) {
        // The third is the same, since the hash is.
        let length = leastMatch;
        while (length < longestMatch && bytes[candidate + length] === bytes[at + length]) length++;
        if (length > best) {
          this.found = candidate;
          best = length;
          if (length >= nice) break;
          end = bytes[at + best];
          beforeEnd = bytes[at + best - 1];
        }
      }
      candidate = before[candidate & mask] ?? 0;
    } while (candidate > nearest && --left !== 0);
    return best;
  }
}
