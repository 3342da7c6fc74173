/** No number goes up by this. It is added to what is kept, of which 0 is what nothing is known of: memory that was never written takes none. */
const unknown = -0x80000000;
/** What is known of a number counts for others that are at most so many blocks away. */
const farthest = 32;
const none = new Int32Array(0);

/** How far numbers went up, by blocks of 2^`unit`, of which 2^`bits` are told apart: four bytes each (S9). */
export class LearnedNumbers {
  readonly #unit: number;
  readonly #places: number;
  // Made when the first is learned: of most files nothing is.
  #kept = none;
  #last = 0;

  constructor(unit: number, bits: number) {
    this.#unit = unit;
    this.#places = 2 ** bits;
  }

  /** Forgets all of it: numbers are thought to go up by `shift`. */
  clear(shift: number): void {
    this.#kept.fill(0);
    this.#last = shift;
  }

  /** How far a number goes up: as the nearest one below of which that is known, else as the nearest above, else as the last one. */
  shiftOf(old: number): number {
    const kept = this.#kept;
    const mask = this.#places - 1;
    if (kept === none) return this.#last;
    const place = old >>> this.#unit;
    for (let distance = 0; distance <= farthest; distance++) {
      const below = kept[(place - distance) & mask] ?? 0;
      if (below !== 0) return below ^ unknown;
    }
    for (let distance = 1; distance <= farthest; distance++) {
      const above = kept[(place + distance) & mask] ?? 0;
      if (above !== 0) return above ^ unknown;
    }
    return this.#last;
  }

  /** A number went up by `shift`, modulo 2^32. */
  learn(old: number, shift: number): void {
    if (this.#kept === none) this.#kept = new Int32Array(this.#places);
    this.#last = shift | 0;
    this.#kept[(old >>> this.#unit) & (this.#places - 1)] = this.#last ^ unknown;
  }

  /** Knows from here on what another one of the same size knows. */
  become(other: LearnedNumbers): void {
    this.#last = other.#last;
    if (other.#kept === none) this.#kept = none;
    else if (this.#kept === none) this.#kept = other.#kept.slice();
    else this.#kept.set(other.#kept);
  }
}
