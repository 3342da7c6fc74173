/** Tells what is done, how long it took, and what came of it. */
export class Narrator {
  readonly #started = Date.now();
  #step = 0;

  /** Runs one step; what it returns is told beside it. */
  async step<T>(what: string, run: () => Promise<T>, tell?: (result: T) => string): Promise<T> {
    this.#step += 1;
    const head = `${String(this.#step).padStart(2)}  ${what}`;
    console.log(head);
    const started = Date.now();
    const result = await run();
    const told = tell === undefined ? '' : `: ${tell(result)}`;
    console.log(`      done in ${((Date.now() - started) / 1000).toFixed(1)} s${told}\n`);
    return result;
  }

  /** Text that belongs to the step, such as what a program printed. */
  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) console.log(`      | ${line}`);
  }

  end(text: string): void {
    const seconds = Math.round((Date.now() - this.#started) / 1000);
    console.log(`${text}\nThe demo took ${Math.floor(seconds / 60)} min ${seconds % 60} s.`);
  }
}
