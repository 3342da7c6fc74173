import { PineError } from '../../error.ts';

/** Where a piece of an image lies: in the image before it, among the bytes that were made, or nowhere. */
export type ExtentKind = 'base' | 'made' | 'zeros';
const kinds: readonly ExtentKind[] = ['base', 'made', 'zeros'];

/** More pieces would take too much of a small machine's memory: 17 bytes each (S9). */
export const mostExtents = 2 ** 17;

/** A piece of an image; `offset` is of its first byte in what it lies in. */
export interface Extent {
  readonly kind: ExtentKind;
  readonly start: number;
  readonly offset: number;
  readonly end: number;
}

/** The pieces of an image from byte 0 on, in order. */
export class ExtentMap {
  size = 0;
  #count = 0;
  #starts = new Float64Array(64);
  #offsets = new Float64Array(64);
  #kinds = new Uint8Array(64);

  /** Adds the next piece, or makes the last one longer. Throws INPUT_DELTA_CHAIN for one too many. */
  add(kind: ExtentKind, offset: number, length: number): void {
    const code = kinds.indexOf(kind);
    const last = this.#count - 1;
    const lastEnd = (this.#offsets[last] ?? 0) + this.size - (this.#starts[last] ?? 0);
    const goesOn = kind === 'zeros' || lastEnd === offset;
    if (last >= 0 && this.#kinds[last] === code && goesOn) {
      this.size += length;
      return;
    }
    this.#grow();
    this.#starts[this.#count] = this.size;
    this.#offsets[this.#count] = offset;
    this.#kinds[this.#count] = code;
    this.#count++;
    this.size += length;
  }

  /** The pieces that a part of the image lies in, each cut to it. */
  *within(position: number, length: number): Generator<Extent> {
    const end = position + length;
    for (let index = this.#find(position), at = position; at < end; index++) {
      const start = this.#starts[index] ?? 0;
      const next = index + 1 < this.#count ? (this.#starts[index + 1] ?? 0) : this.size;
      const offset = (this.#offsets[index] ?? 0) + at - start;
      const until = Math.min(end, next);
      yield { kind: kinds[this.#kinds[index] ?? 0] ?? 'zeros', start: at, offset, end: until };
      at = until;
    }
  }

  /** The last piece that begins at or before a byte. */
  #find(position: number): number {
    let low = 0;
    for (let high = this.#count; high - low > 1; ) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    if (this.#count < this.#starts.length) return;
    if (this.#count >= mostExtents) throw tooMany();
    this.#starts = grown(this.#starts, new Float64Array(2 * this.#count));
    this.#offsets = grown(this.#offsets, new Float64Array(2 * this.#count));
    this.#kinds = grown(this.#kinds, new Uint8Array(2 * this.#count));
  }
}

function grown<T extends Float64Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}

function tooMany(): PineError {
  return new PineError('INPUT_DELTA_CHAIN', 'a delta has too many pieces to be one of several', {
    expected: `at most ${mostExtents} pieces`,
    found: 'more',
    where: 'a chain of deltas',
    remedy: 'make one delta of the two on the build host: pinectl delta generate --from',
  });
}
