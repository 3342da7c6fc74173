import { int32 } from '../little-endian.ts';
import type { PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { valueForm } from '../value-form.ts';
import type { BtfStart } from './page-starts.ts';
import { recordSize, visitNumbers } from './records.ts';

/** Numbers of types and places of names in records of BTF, of which `start` tells the page's first one. */
export function findBtfSites(
  page: Uint8Array,
  part: PagePart,
  start: BtfStart,
  sites: Sites,
): void {
  const { btfName, btfType } = pointerClass;
  const add = (at: number, isName: boolean): void => {
    if (at < part.from || at + 4 > part.to) return;
    const value = int32(page, at);
    if (value > 0) sites.add(at, isName ? btfName : btfType, valueForm.number, value);
  };
  let info = start.info;
  for (let at = -start.before; ; ) {
    visitNumbers(at, info, add, part.from, part.to);
    at += recordSize(info);
    // The second word of the next one tells what it is.
    if (at + 8 > part.to) return;
    info = int32(page, at + 4);
    if (recordSize(info) === 0) return;
  }
}
