import type { SiteSource } from '../pointers/site-finder.ts';
import { pageSize, type Sites } from '../pointers/sites.ts';

/** The sites of longer files would take too much memory: up to five bytes for each byte of a program. */
const longestRemembered = 24 << 20;

/** The same sites as `finder` finds, each page looked at once: the encoder asks for them again and again. */
export function rememberSites(finder: SiteSource, size: number): SiteSource {
  return size > longestRemembered ? finder : new RememberedSites(finder, size);
}

class RememberedSites implements SiteSource {
  readonly elf: SiteSource['elf'];
  readonly #finder: SiteSource;
  /** For each page, where its sites begin in the columns, -1 before it was looked at; and how many it has. */
  readonly #first: Int32Array;
  readonly #count: Int32Array;
  #length = 0;
  #columns: Columns = makeColumns(4096);

  constructor(finder: SiteSource, size: number) {
    this.elf = finder.elf;
    this.#finder = finder;
    const pages = Math.ceil(size / pageSize);
    this.#first = new Int32Array(pages).fill(-1);
    this.#count = new Int32Array(pages);
  }

  find(page: Uint8Array, start: number, sites: Sites): void {
    const number = start / pageSize;
    const first = this.#first[number] ?? -1;
    if (first < 0) {
      this.#finder.find(page, start, sites);
      this.#remember(number, sites);
      return;
    }
    const end = first + (this.#count[number] ?? 0);
    sites.count = end - first;
    for (const name of columnNames) sites[name].set(this.#columns[name].subarray(first, end));
  }

  #remember(number: number, sites: Sites): void {
    const end = this.#length + sites.count;
    if (end > this.#columns.at.length) {
      const larger = makeColumns(2 * end);
      for (const name of columnNames) larger[name].set(this.#columns[name]);
      this.#columns = larger;
    }
    for (const name of columnNames) {
      this.#columns[name].set(sites[name].subarray(0, sites.count), this.#length);
    }
    this.#first[number] = this.#length;
    this.#count[number] = sites.count;
    this.#length = end;
  }
}

type Columns = Omit<Sites, 'count' | 'add'>;
const columnNames = ['at', 'kind', 'width', 'form', 'extra', 'target', 'base'] as const;

function makeColumns(length: number): Columns {
  const numbers = (): Int32Array<ArrayBuffer> => new Int32Array(length);
  return {
    ...{ at: numbers(), kind: numbers(), width: numbers(), form: numbers(), extra: numbers() },
    ...{ target: new Float64Array(length), base: new Float64Array(length) },
  };
}
