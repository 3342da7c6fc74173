import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { findArm64CodeSites } from './arm64/code-sites.ts';
import { findBtfSites } from './btf/number-sites.ts';
import { type BtfStarts, btfStartsOf } from './btf/page-starts.ts';
import { type AddressRanges, addressRanges } from './elf/address-ranges.ts';
import type { Elf, Section } from './elf/elf.ts';
import { readElf } from './elf/read-elf.ts';
import type { PageStarts } from './elf/record-starts.ts';
import { findGoSites } from './go/go-sites.ts';
import { findKernelSites, findListedSites } from './kernel/kernel-sites.ts';
import {
  findHeaderSites,
  findObjectRelocations,
  findObjectSymbols,
} from './object/object-sites.ts';
import type { PagePart } from './page-part.ts';
import { findConstantSites, findPointerSites } from './program/address-sites.ts';
import { findFrameIndexSites, findFrameSites } from './program/frame-sites.ts';
import { findFrameStarts } from './program/frame-starts.ts';
import { findTableSites } from './program/jump-tables.ts';
import { findRelocationSites } from './program/relocation-sites.ts';
import { findBucketSites, findSymbolSites } from './program/symbol-sites.ts';
import type { SiteSource } from './site-source.ts';
import { pageSize, type Sites } from './sites.ts';
import { findX86CodeSites } from './x86/code-sites.ts';

/** Zeros behind a page, into which its last instruction may reach. */
const padding = 16;

/**
 * Finds the pointers in the pages of an old file. A page is looked at by itself, so that encoder and
 * decoder find the same whatever else they read; a pointer over the border of two is not one.
 */
export class SiteFinder implements SiteSource {
  readonly elf: Elf;
  readonly #ranges: AddressRanges;
  readonly #frames: PageStarts | undefined;
  readonly #types: BtfStarts | undefined;
  /** The page that is looked at. */
  readonly #page = new Uint8Array(pageSize + padding);

  private constructor(elf: Elf, frames: PageStarts | undefined, types: BtfStarts | undefined) {
    this.elf = elf;
    this.#ranges = addressRanges(elf);
    this.#frames = frames;
    this.#types = types;
  }

  /** `undefined` for a file that nothing is predicted in. */
  static async open(file: PositionedReader): Promise<SiteFinder | undefined> {
    const elf = await readElf(file);
    if (elf === undefined) return undefined;
    const section = elf.sections.find(({ kind }) => kind === 'frames');
    const frames = section && (await findFrameStarts(file, section));
    return new SiteFinder(elf, frames, await btfStartsOf(file, elf));
  }

  find(page: Uint8Array, start: number, sites: Sites): void {
    sites.clear();
    // Always the same kind of array, and never read behind its end: code that is compiled for it stays good.
    this.#page.set(page);
    this.#page.fill(0, page.length);
    for (const section of this.elf.sections) {
      const from = Math.max(0, section.offset - start);
      const to = Math.min(page.length, section.offset + section.size - start);
      if (from >= to) continue;
      const before = start + from - section.offset;
      const part = { from, to, before, address: section.address + before };
      this.#findIn(section, this.#page, part, start / pageSize, sites);
    }
  }

  /** Those in the part of the page that a section covers; the page is told by its number, too. */
  #findIn(section: Section, page: Uint8Array, part: PagePart, number: number, sites: Sites): void {
    const { elf } = this;
    const ranges = this.#ranges;
    switch (section.kind) {
      case 'code':
        if (elf.machine === 'arm64') findArm64CodeSites(page, part, ranges, sites);
        else findX86CodeSites(page, part, ranges, sites);
        break;
      case 'relocations':
        findRelocationSites(page, part, elf, sites);
        break;
      case 'symbols':
        findSymbolSites(page, part, elf.names, sites);
        break;
      case 'buckets':
        findBucketSites(page, part, elf.symbols, sites);
        break;
      case 'pointers':
        findPointerSites(page, part, ranges.all, sites);
        break;
      case 'tables':
        findTableSites(page, part, ranges.code, sites);
        if (ranges.fixed !== undefined) findConstantSites(page, part, ranges.fixed, sites);
        break;
      case 'frame-index':
        findFrameIndexSites(page, part, sites);
        break;
      case 'frames': {
        const first = this.#frames?.firstIn(number);
        if (first !== undefined) findFrameSites(page, part, first, sites);
        break;
      }
      case 'object-relocations':
        if (section.target !== undefined) {
          findObjectRelocations(page, part, section.target, elf, sites);
        }
        break;
      case 'object-symbols':
        findObjectSymbols(page, part, elf, sites);
        break;
      case 'section-headers':
        findHeaderSites(page, part, sites);
        break;
      case 'kernel-data':
        findKernelSites(page, part, ranges, sites);
        break;
      case 'address-list':
        findListedSites(page, part, ranges.all, sites);
        break;
      case 'btf': {
        const first = this.#types?.startOf(number);
        if (first !== undefined) findBtfSites(page, part, first, sites);
        break;
      }
      default: {
        const ofGo = { ...part, kind: section.kind, page: number };
        if (elf.go !== undefined) findGoSites(page, ofGo, elf.go, ranges.fixed, sites);
      }
    }
  }
}
