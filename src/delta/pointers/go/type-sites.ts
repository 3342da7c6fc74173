import { int32 } from '../little-endian.ts';
import { firstEntry, type PagePart } from '../page-part.ts';
import { pointerClass } from '../pointer-class.ts';
import type { Sites } from '../sites.ts';
import { addOffset } from './add-offset.ts';
import type { GoRange } from './module.ts';
import type { GoTables } from './tables.ts';

const { goCode, goType } = pointerClass;
const typeSize = 48;
const methodSize = 16;
/** Kinds of types are numbered from 1 on. */
const mostKinds = 26;

/** Descriptions of types, and their methods. */
export function findTypeSites(page: Uint8Array, part: PagePart, go: GoTables, sites: Sites): void {
  for (let at = firstEntry(part, 8); at + methodSize <= part.to; at += 8) {
    if (at < part.from) continue;
    if (at + typeSize <= part.to && isType(page, at)) {
      addOffset(page, at + 40, goType, go.types, sites);
      addOffset(page, at + 44, goType, go.types, sites);
      at += typeSize - 8;
    } else if (isMethod(page, at, go)) {
      addOffset(page, at, goType, go.types, sites);
      addOffset(page, at + 4, goType, go.types, sites);
      addOffset(page, at + 8, goCode, go.text, sites);
      addOffset(page, at + 12, goCode, go.text, sites);
      at += methodSize - 8;
    }
  }
}

/** A size, how much of it has pointers, a hash, the alignment twice, the kind, and two pointers. */
function isType(page: Uint8Array, at: number): boolean {
  const alignment = page[at + 21] ?? 0;
  const kind = (page[at + 23] ?? 0) & 31;
  const isAligned = alignment === page[at + 22] && [1, 2, 4, 8].includes(alignment);
  if (!isAligned || kind === 0 || kind > mostKinds) return false;
  const uppers = int32(page, at + 4) | int32(page, at + 12) | int32(page, at + 28);
  return (uppers | int32(page, at + 36)) === 0;
}

/** A name, a type, and two addresses of code, of which those that nobody needs are -1. */
function isMethod(page: Uint8Array, at: number, { types, text }: GoTables): boolean {
  const name = int32(page, at);
  return (
    name > 0 &&
    name < types.size &&
    isInOrNone(int32(page, at + 4), types) &&
    isInOrNone(int32(page, at + 8), text) &&
    isInOrNone(int32(page, at + 12), text)
  );
}

function isInOrNone(word: number, { size }: GoRange): boolean {
  return word === -1 || (word > 0 && word < size);
}
