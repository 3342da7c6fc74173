/** Kinds of records of BTF that are told apart, by their numbers in it. */
export const btfKind = { array: 3, function: 12, prototype: 13, section: 15 } as const;

/** Each record begins with three words: its name, its kind and how many items it has, and a size or a type. */
export const recordHeader = 12;

/** What is known of each kind: bytes behind the header whatever it says, and bytes of each of its items. */
const sizes: readonly (readonly [fixed: number, item: number])[] = [
  ...([
    [0, 0],
    [4, 0],
    [0, 0],
    [12, 0],
  ] as const),
  ...([
    [0, 12],
    [0, 12],
    [0, 8],
    [0, 0],
  ] as const),
  ...([
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ] as const),
  ...([
    [0, 0],
    [0, 8],
    [4, 0],
    [0, 12],
  ] as const),
  ...([
    [0, 0],
    [4, 0],
    [0, 0],
    [0, 12],
  ] as const),
];
const fixedSizes = Uint8Array.from(sizes, ([fixed]) => fixed);
const itemSizes = Uint8Array.from(sizes, ([, item]) => item);

/** Whether the third word is a type: pointers, typedefs and qualifiers, functions, variables, tags. */
const isTyped = Uint8Array.from(sizes, (_, kind) =>
  [2, 8, 9, 10, 11, 12, 13, 14, 17, 18].includes(kind) ? 1 : 0,
);
/** Whether items begin with a name: structs, unions, enumerations, prototypes. */
const hasItemNames = Uint8Array.from(sizes, (_, kind) =>
  [4, 5, 6, 13, 19].includes(kind) ? 1 : 0,
);
/** Whether a type stands behind that. */
const hasItemTypes = Uint8Array.from(sizes, (_, kind) => ([4, 5, 13].includes(kind) ? 1 : 0));

/** The kind in the second word of a record. */
export function kindOf(info: number): number {
  return (info >>> 24) & 31;
}

/** The bytes of a record, by its second word; 0 for one of a kind that is not known. */
export function recordSize(info: number): number {
  const kind = kindOf(info);
  if (kind === 0 || kind >= sizes.length) return 0;
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
