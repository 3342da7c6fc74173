import type { SiteSource } from '../site-source.ts';
import { Sites } from '../sites.ts';

/** Sites of so many pages are kept: 40 KB each. */
const recentPages = 4;

/** Room for them. */
export function pagesOfSites(): readonly Sites[] {
  return Array.from({ length: recentPages }, () => new Sites());
}

/** The sites of the pages used last: copies go to and fro between a few. */
export class RecentSites {
  readonly #source: SiteSource;
  readonly #room: readonly Sites[];
  /** The page used last in front. */
  readonly #recent: { page: number; readonly sites: Sites }[] = [];

  /** Keeps them in `room`, which `pagesOfSites` made. */
  constructor(source: SiteSource, room: readonly Sites[]) {
    this.#source = source;
    this.#room = room;
  }

  /** Finds the sites of the page that begins at `start`, unless it is one of those used last. */
  of(page: Uint8Array, start: number): Sites {
    const recent = this.#recent;
    const known = recent.findIndex((each) => each.page === start);
    const entry = recent[known] ?? this.#find(page, start);
    if (known >= 0) recent.splice(known, 1);
    recent.unshift(entry);
    return entry.sites;
  }

  /** In the room of the page that was not used for longest. */
  #find(page: Uint8Array, start: number) {
    const free = this.#room[this.#recent.length];
    const entry = free === undefined ? this.#recent.pop() : { page: start, sites: free };
    if (entry === undefined) throw new TypeError('no room for sites');
    entry.page = start;
    this.#source.find(page, start, entry.sites);
    return entry;
  }
}
