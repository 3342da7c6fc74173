import { release } from '../match/release.ts';
import type { SiteSource } from '../pointers/site-source.ts';
import { maxSites, pageSize, type Sites } from '../pointers/sites.ts';

/** The sites of longer files would take too much memory: up to five bytes for each byte of a program. */
const longestRemembered = 24 << 20;
/** The sites of so many pages lie together at least. */
const chunkPages = 16;

/** The same sites as `finder` finds, each page looked at once: the encoder asks for them again and again. */
export class RememberedSites implements SiteSource {
  readonly elf: SiteSource['elf'];
  readonly #finder: SiteSource;
  /** For each page, where its sites begin in the chunks, -1 before it was looked at; how many it has; whether they lie in order. */
  readonly #first: Int32Array;
  readonly #count: Int32Array;
  readonly #isInOrder: Uint8Array;
  readonly #chunks: Columns[] = [];
  readonly #chunkSize: number;
  /** Sites in the last chunk. */
  #filled: number;

  constructor(finder: SiteSource, size: number) {
    this.elf = finder.elf;
    this.#finder = finder;
    const pages = size > longestRemembered ? 0 : Math.ceil(size / pageSize);
    this.#first = new Int32Array(pages).fill(-1);
    this.#count = new Int32Array(pages);
    this.#isInOrder = new Uint8Array(pages);
    this.#chunkSize = Math.min(pages, chunkPages) * maxSites;
    this.#filled = this.#chunkSize;
  }

  find(page: Uint8Array, start: number, sites: Sites): void {
    const number = start / pageSize;
    const first = this.#first[number] ?? -1;
    if (first < 0) {
      this.#finder.find(page, start, sites);
      if (number < this.#first.length) this.#remember(number, sites);
      return;
    }
    const from = first % this.#chunkSize;
    const chunk = this.#chunks[Math.floor(first / this.#chunkSize)];
    if (chunk === undefined) throw new TypeError(`no sites of page ${number}`);
    sites.count = this.#count[number] ?? 0;
    sites.isInOrder = this.#isInOrder[number] === 1;
    for (const name of columnNames) sites[name].set(chunk[name].subarray(from, from + sites.count));
  }

  /** Gives its memory back. Nothing can be asked for afterwards. */
  release(): void {
    for (const chunk of this.#chunks) for (const name of columnNames) release(chunk[name]);
  }

  #remember(number: number, sites: Sites): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || this.#filled + sites.count >= this.#chunkSize) {
      chunk = makeColumns(this.#chunkSize);
      this.#chunks.push(chunk);
      this.#filled = 0;
    }
    for (const name of columnNames) {
      chunk[name].set(sites[name].subarray(0, sites.count), this.#filled);
    }
    this.#first[number] = (this.#chunks.length - 1) * this.#chunkSize + this.#filled;
    this.#count[number] = sites.count;
    this.#isInOrder[number] = sites.isInOrder ? 1 : 0;
    this.#filled += sites.count;
  }
}

const columnNames = ['at', 'kind', 'width', 'form', 'extra', 'target', 'base'] as const;
type Columns = Pick<Sites, (typeof columnNames)[number]>;

function makeColumns(length: number): Columns {
  const numbers = (): Int32Array<ArrayBuffer> => new Int32Array(length);
  return {
    ...{ at: numbers(), kind: numbers(), width: numbers(), form: numbers(), extra: numbers() },
    ...{ target: new Float64Array(length), base: new Float64Array(length) },
  };
}
