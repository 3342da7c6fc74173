import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { findArm64CodeSites } from './arm64-code-sites.ts';
import { findBtfSites } from './btf-sites.ts';
import { type BtfStarts, findBtfStarts } from './btf-starts.ts';
import { type AddressRange, findCodeSites } from './code-sites.ts';
import {
  findBucketSites,
  findConstantSites,
  findFrameIndexSites,
  findFrameSites,
  findPointerSites,
  findRelocationSites,
  findSymbolSites,
  findTableSites,
  type PagePart,
} from './data-sites.ts';
import { type Elf, readElf, type Section } from './elf.ts';
import { type FrameStarts, findFrameStarts } from './frame-starts.ts';
import { findGoSites } from './go-sites.ts';
import { findKernelSites, findListedSites } from './kernel-sites.ts';
import { findHeaderSites, findObjectRelocations, findObjectSymbols } from './object-sites.ts';
import { pageSize, type Sites } from './sites.ts';

/** What tells where the pointers of an old file are. */
export interface SiteSource {
  readonly elf: Elf;
  /** Puts the sites of the page that begins at `start` (a multiple of `pageSize`) into `sites`. */
  find(page: Uint8Array, start: number, sites: Sites): void;
}

/** Zeros behind a page, into which its last instruction may reach. */
const padding = 16;

/**
 * Finds the pointers in the pages of an old file. A page is looked at by itself, so that encoder and
 * decoder find the same whatever else they read; a pointer over the border of two is not one.
 */
export class SiteFinder implements SiteSource {
  readonly elf: Elf;
  readonly #code: AddressRange;
  readonly #all: AddressRange;
  /** What absolute addresses lead to: tables of symbols and names lie before code, and look like text. */
  readonly #fixed: AddressRange | undefined;
  readonly #frames: FrameStarts | undefined;
  readonly #records: BtfStarts | undefined;
  readonly #codeSections: readonly AddressRange[];
  /** The page that is looked at. */
  readonly #page = new Uint8Array(pageSize + padding);

  private constructor(elf: Elf, frames: FrameStarts | undefined, records: BtfStarts | undefined) {
    this.elf = elf;
    this.#records = records;
    this.#frames = frames;
    const code = elf.sections.filter(({ kind }) => kind === 'code');
    this.#code = span(code);
    this.#codeSections = code.map(({ address, size }) => ({ from: address, to: address + size }));
    const segments = elf.segments.map(({ address, memorySize }) => ({ address, size: memorySize }));
    // A kernel has also what is copied for each processor, as if it were at address 0.
    const ofKernel = segments.filter(({ address }) => address < 0);
    this.#all = span(ofKernel.length > 0 ? ofKernel : segments);
    this.#fixed = elf.isFixed ? { from: this.#code.from, to: this.#all.to } : undefined;
  }

  /** `undefined` for a file that nothing is predicted in. */
  static async open(file: PositionedReader): Promise<SiteFinder | undefined> {
    const elf = await readElf(file);
    if (elf === undefined) return undefined;
    const frames = elf.sections.find(({ kind }) => kind === 'frames');
    return new SiteFinder(
      elf,
      frames && (await findFrameStarts(file, frames)),
      await recordsOf(file, elf),
    );
  }

  find(page: Uint8Array, start: number, sites: Sites): void {
    sites.count = 0;
    // Always the same kind of array, and never read behind its end: code that is compiled for it stays good.
    this.#page.set(page);
    this.#page.fill(0, page.length);
    for (const section of this.elf.sections) {
      const from = Math.max(0, section.offset - start);
      const to = Math.min(page.length, section.offset + section.size - start);
      if (from >= to) continue;
      const before = start + from - section.offset;
      const part = { from, to, before, address: section.address + before };
      this.#findIn(section, this.#page, part, start, sites);
    }
  }

  #findInCode(page: Uint8Array, part: PagePart, sites: Sites): void {
    const ranges = { code: this.#code, all: this.#all, fixed: this.#fixed };
    if (this.elf.machine === 'arm64') findArm64CodeSites(page, part, ranges, sites);
    else findCodeSites(page, part, ranges, sites);
  }

  #findIn(section: Section, page: Uint8Array, part: PagePart, start: number, sites: Sites): void {
    switch (section.kind) {
      case 'code':
        this.#findInCode(page, part, sites);
        break;
      case 'relocations':
        findRelocationSites(page, part, this.elf, sites);
        break;
      case 'symbols':
        findSymbolSites(page, part, this.elf.names, sites);
        break;
      case 'buckets':
        findBucketSites(page, part, this.elf.symbols, sites);
        break;
      case 'pointers':
        findPointerSites(page, part, this.#all, sites);
        break;
      case 'frame-index':
        findFrameIndexSites(page, part, sites);
        break;
      case 'tables':
        findTableSites(page, part, this.#code, sites);
        if (this.#fixed !== undefined) findConstantSites(page, part, this.#fixed, sites);
        break;
      case 'object-relocations':
        if (section.target !== undefined) {
          findObjectRelocations(page, part, section.target, this.elf, sites);
        }
        break;
      case 'object-symbols':
        findObjectSymbols(page, part, this.elf, sites);
        break;
      case 'section-headers':
        findHeaderSites(page, part, sites);
        break;
      case 'kernel-data':
        findKernelSites(page, part, { all: this.#all, code: this.#codeSections }, sites);
        break;
      case 'address-list':
        findListedSites(page, part, this.#all, sites);
        break;
      case 'btf': {
        const first = this.#records?.startOf(start / pageSize);
        if (first !== undefined) findBtfSites(page, part, first, sites);
        break;
      }
      case 'frames': {
        const first = this.#frames?.firstIn(start / pageSize);
        if (first !== undefined) findFrameSites(page, part, first, sites);
        break;
      }
      default:
        if (this.elf.go !== undefined) {
          findGoSites(
            page,
            { ...part, kind: section.kind, start },
            this.elf.go,
            this.#fixed,
            sites,
          );
        }
    }
  }
}

/** Where records of types begin. What else is predicted comes before the differences, types behind them: they must lie apart. */
async function recordsOf(file: PositionedReader, { btf, sections }: Elf) {
  if (btf === undefined) return undefined;
  const { offset, size } = btf.types;
  const isApart = sections.every(
    (each) =>
      each.kind === 'btf' || each.offset >= offset + size || each.offset + each.size <= offset,
  );
  return isApart ? findBtfStarts(file, btf.types) : undefined;
}

function span(
  ranges: readonly { readonly address: number; readonly size: number }[],
): AddressRange {
  return {
    from: Math.min(...ranges.map(({ address }) => address)),
    to: Math.max(...ranges.map(({ address, size }) => address + size)),
  };
}
