import type { SectionKind } from '../elf/elf.ts';
import { type AddressRange, firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import { findPointerSites } from '../program/address-sites.ts';
import type { Sites } from '../sites.ts';
import { addOffset } from './add-offset.ts';
import { findInlinedSites, findRecordSites } from './function-sites.ts';
import { bucketSize, type GoTables } from './tables.ts';
import { findTypeSites } from './type-sites.ts';

const { goCode, goTable, goBucket, goType } = pointerClass;

/** A page's part of one of the tables, and the number of the page in the file. */
interface GoPart extends PagePart {
  readonly kind: SectionKind;
  readonly page: number;
}

/**
 * Numbers in the tables of a Go program that are the distance of something from the beginning of what it is in; among its types also
 * addresses, where it is linked for a fixed one.
 */
export function findGoSites(
  page: Uint8Array,
  part: GoPart,
  go: GoTables,
  fixed: AddressRange | undefined,
  sites: Sites,
): void {
  switch (part.kind) {
    case 'go-units':
      for (const at of entries(part, 4)) addOffset(page, at, goTable, go.files, sites);
      break;
    case 'go-functions':
      // Each word by itself: one that begins a function, one with its record.
      for (const at of entries(part, 4)) {
        if ((part.before + at - part.from) % 8 === 0) addOffset(page, at, goCode, go.text, sites);
        else addOffset(page, at, goTable, go.functions, sites);
      }
      break;
    case 'go-records': {
      const first = go.records.firstIn(part.page);
      if (first !== undefined) findRecordSites(page, part, first, go, sites);
      break;
    }
    case 'go-buckets':
      // The number of the first function.
      for (const at of entries(part, bucketSize, 4)) {
        addOffset(page, at, goBucket, go.functions, sites, 8);
      }
      break;
    case 'go-inlined':
      findInlinedSites(page, part, go, sites);
      break;
    case 'go-types':
      findTypeSites(page, part, go, sites);
      if (fixed !== undefined) findPointerSites(page, part, fixed, sites, pointerClass.constant);
      break;
    case 'go-links':
      for (const at of entries(part, 4)) addOffset(page, at, goType, go.types, sites);
      break;
    default:
  }
}

/** Where entries begin of which the first `wanted` bytes are in the part. */
function* entries(part: PagePart, size: number, wanted = size): Generator<number> {
  for (let at = firstEntry(part, size); at + wanted <= part.to; at += size) {
    if (at >= part.from) yield at;
  }
}
