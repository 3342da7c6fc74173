/** Kinds of records of BTF, by their numbers in it. */
export const btfKind = {
  integer: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enumeration: 6,
  forward: 7,
  typedef: 8,
  volatile: 9,
  constant: 10,
  restrict: 11,
  function: 12,
  prototype: 13,
  variable: 14,
  section: 15,
  float: 16,
  declarationTag: 17,
  typeTag: 18,
  wideEnumeration: 19,
} as const;

type KindName = keyof typeof btfKind;
const kinds = 1 + Object.keys(btfKind).length;

/** Each record begins with three words: its name, its kind and how many items it has, and a size or a type. */
export const recordHeader = 12;

/** Bytes behind the header, whatever it says. */
const fixedSizes = byKind({ integer: 4, array: 12, variable: 4, declarationTag: 4 });
/** Bytes of each item. */
const itemSizes = byKind({
  ...{ struct: 12, union: 12, enumeration: 8, prototype: 8, section: 12, wideEnumeration: 12 },
});
/** Whether the third word is a type. */
const isTyped = byKind({
  ...{ pointer: 1, typedef: 1, volatile: 1, constant: 1, restrict: 1, function: 1 },
  ...{ prototype: 1, variable: 1, declarationTag: 1, typeTag: 1 },
});
/** Whether items begin with a name. */
const hasItemNames = byKind({
  ...{ struct: 1, union: 1, enumeration: 1, prototype: 1, wideEnumeration: 1 },
});
/** Whether a type stands behind that. */
const hasItemTypes = byKind({ struct: 1, union: 1, prototype: 1 });

function byKind(values: Partial<Record<KindName, number>>): Uint8Array {
  const result = new Uint8Array(kinds);
  for (const [name, value] of Object.entries(values)) result[btfKind[name as KindName]] = value;
  return result;
}

/** The kind in the second word of a record. */
export function kindOf(info: number): number {
  return (info >>> 24) & 31;
}

/** The bytes of a record, by its second word; 0 for one of a kind that is not known. */
export function recordSize(info: number): number {
  const kind = kindOf(info);
  if (kind === 0 || kind >= kinds) return 0;
  return recordHeader + (fixedSizes[kind] ?? 0) + (itemSizes[kind] ?? 0) * (info & 0xffff);
}

/** Is told of a word that is the number of a type or, with `isName`, the place of a name. */
export type NumberVisitor = (at: number, isName: boolean) => void;

/** Tells of all such words of the record at `at`, in their order; of its items only those that have bytes from `from` to `to`. */
export function visitNumbers(
  at: number,
  info: number,
  visit: NumberVisitor,
  from = at,
  to = Number.POSITIVE_INFINITY,
): void {
  const kind = kindOf(info);
  visit(at, true);
  if (isTyped[kind] === 1) visit(at + 8, false);
  const items = at + recordHeader;
  if (kind === btfKind.array) {
    visit(items, false);
    visit(items + 4, false);
  }
  const size = itemSizes[kind] ?? 0;
  if (size === 0) return;
  const end = Math.min(to, items + size * (info & 0xffff));
  const skipped = Math.max(0, Math.floor((from - items) / size));
  for (let item = items + skipped * size; item < end; item += size) {
    if (kind === btfKind.section) visit(item, false);
    if (hasItemNames[kind] === 1) visit(item, true);
    if (hasItemTypes[kind] === 1) visit(item + 4, false);
  }
}
