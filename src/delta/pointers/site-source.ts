import type { Elf } from './elf/elf.ts';
import type { Sites } from './sites.ts';

/** What tells where the pointers of an old file are. */
export interface SiteSource {
  readonly elf: Elf;
  /** Puts the sites of the page that begins at `start` (a multiple of `pageSize`) into `sites`. */
  find(page: Uint8Array, start: number, sites: Sites): void;
}
