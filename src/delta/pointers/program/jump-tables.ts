import { int32 } from '../little-endian.ts';
import { type AddressRange, firstEntry, isIn, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';

/** Fewer bytes that look like a table are taken for chance. */
const leastTable = 12;

/** Entries that follow each other and all lead into the code, relative to the first of them. */
export function findTableSites(
  page: Uint8Array,
  part: PagePart,
  code: AddressRange,
  sites: Sites,
): void {
  for (let at = firstEntry(part, 4); at + 4 <= part.to; at += 4) {
    if (at < part.from) continue;
    const table = part.address + at - part.from;
    let end = at;
    while (end + 4 <= part.to && isIn(code, table + int32(page, end))) end += 4;
    if (end - at < leastTable) continue;
    for (; at < end; at += 4) {
      sites.add(at, pointerClass.table, valueForm.fromBase, table + int32(page, at), 1, table);
    }
    at -= 4;
  }
}
