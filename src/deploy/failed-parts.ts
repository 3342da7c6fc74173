/** More than so many are none: the program failed as a whole. */
const mostParts = 50;
const lineLength = 256;

/**
 * Reads from what a program prints, piece by piece, which of the things that it looks at failed: a line
 * `failed: NAME` for each.
 */
export class FailedParts {
  readonly #names = new Set<string>();
  #line = '';

  add(text: string): void {
    const lines = `${this.#line}${text}`.split('\n');
    this.#line = (lines.pop() ?? '').slice(0, lineLength);
    for (const line of lines) this.#read(line);
  }

  /** Each name once; empty when there are more than anyone can tell apart. */
  get names(): readonly string[] {
    this.#read(this.#line); // the last one may have no end
    return this.#names.size > mostParts ? [] : [...this.#names];
  }

  #read(line: string): void {
    const [, name] = /^failed: ([A-Za-z0-9_.@+:-]{1,100})\s*$/.exec(line) ?? [];
    if (name !== undefined && this.#names.size <= mostParts) this.#names.add(name);
  }
}
