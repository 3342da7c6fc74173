const bits = 15;
/** Blocks of memory have 4096 bytes; so many are told apart. */
const blocks = 4096;
const none = new Float64Array(0);

/**
 * Targets that turned out to be elsewhere than the copies told: a function whose beginning changed is in no copy,
 * and only the first call of it is guessed wrong. The newest of those that share a place; 512 KiB (S9).
 * Memory that the file has no content for is in no copy at all: what one address in it was off by, its neighbours are.
 */
export class LearnedTargets {
  // Made when the first is learned: of most files nothing is.
  #old = none;
  #new = none;
  #shift = none;
  #isEmpty = true;
  /** How often something was learned that was not known, or was otherwise. */
  changes = 0;

  /** Forgets all of it: it is for another file from here on. */
  clear(): void {
    if (this.#isEmpty) return;
    this.#old.fill(Number.NaN);
    this.#shift.fill(0);
    this.#isEmpty = true;
  }

  find(old: number): number | undefined {
    const place = placeOf(old);
    return this.#old[place] === old ? this.#new[place] : undefined;
  }

  set(old: number, found: number): void {
    if (this.#old === none) {
      this.#old = new Float64Array(2 ** bits).fill(Number.NaN);
      this.#new = new Float64Array(2 ** bits);
    }
    const place = placeOf(old);
    if (this.#old[place] === old && this.#new[place] === found) return;
    this.#old[place] = old;
    this.#new[place] = found;
    this.#isEmpty = false;
    this.changes++;
  }

  forget(old: number): void {
    const place = placeOf(old);
    if (this.#old[place] !== old) return;
    this.#old[place] = Number.NaN;
    this.changes++;
  }

  /** What the address in the same block was off by that `setShift` was last told of; 0 without one. */
  shiftNear(old: number): number {
    return this.#shift[blockOf(old)] ?? 0;
  }

  setShift(old: number, shift: number): void {
    if (this.#shift === none) this.#shift = new Float64Array(blocks);
    const block = blockOf(old);
    if (this.#shift[block] === shift) return;
    this.#shift[block] = shift;
    this.#isEmpty = false;
    this.changes++;
  }
}

function blockOf(address: number): number {
  return (address >>> 12) % blocks;
}

function placeOf(address: number): number {
  return Math.imul(address | 0, 0x9e3779b1) >>> (32 - bits);
}
