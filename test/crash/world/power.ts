/** What every port throws once the power is gone. */
export class PowerCut extends Error {
  override readonly name = 'PowerCut';
}

/** Counts writes of all devices and files together, and fails at one of them. */
export class Power {
  #count = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #off = false;
  /** A word for each write, in order: what a failing test prints. */
  readonly log: string[] = [];

  get writes(): number {
    return this.#count;
  }

  /** The power goes during write number `write`, counted from 1. */
  cutAt(write: number): void {
    this.#cutAt = write;
  }

  /**
   * To be called by a port for each write: `begin` makes the change in volatile memory. When this is the write at
   * which the power goes, the change has begun and nobody hears of its end.
   */
  write(what: string, begin: () => void): void {
    this.alive();
    this.#count += 1;
    this.log.push(what);
    begin();
    if (this.#count >= this.#cutAt) {
      this.#off = true;
      throw new PowerCut(`power cut at write ${this.#count}: ${what}`);
    }
  }

  /** To be called by a port before anything else: a dead machine does nothing. */
  alive(): void {
    if (this.#off) throw new PowerCut('the power is off');
  }
}
