const bits = 15;

/**
 * Targets that turned out to be elsewhere than the copies told: a function whose beginning changed is in no copy,
 * and only the first call of it is guessed wrong. The newest of those that share a place; 512 KiB (S9).
 */
export class LearnedTargets {
  readonly #old = new Float64Array(2 ** bits).fill(-1);
  readonly #new = new Float64Array(2 ** bits);

  find(old: number): number | undefined {
    const place = placeOf(old);
    return this.#old[place] === old ? this.#new[place] : undefined;
  }

  set(old: number, found: number): void {
    const place = placeOf(old);
    this.#old[place] = old;
    this.#new[place] = found;
  }

  forget(old: number): void {
    const place = placeOf(old);
    if (this.#old[place] === old) this.#old[place] = -1;
  }
}

function placeOf(address: number): number {
  return Math.imul(address | 0, 0x9e3779b1) >>> (32 - bits);
}
