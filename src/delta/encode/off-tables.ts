import { type Copy, CopyList } from '../match/copy-list.ts';
import { type FoundTable, findTables, type Part } from './find-tables.ts';

/**
 * Finds tables where a file is new for the most part, and takes off them the few copies that are in them all the same (of the
 * zeros between rows): a table is in one piece among the literals.
 */
export function offTables(
  bytes: Uint8Array,
  copies: CopyList,
): { readonly copies: CopyList; readonly tables: readonly FoundTable[] } {
  const tables = findTables(bytes, newParts(bytes.length, copies)).filter(
    ({ start, end }) => copiedBytes(copies, start, end) < (end - start) / 2,
  );
  if (tables.length === 0) return { copies, tables };
  const left = Array.from({ length: copies.count }, (_, index) =>
    partsOutside(copies.at(index), tables),
  );
  return { copies: CopyList.from(left.flat()), tables };
}

/** The tables between two places, as seen from the first. */
export function tablesWithin(
  tables: readonly FoundTable[],
  from: number,
  to: number,
): FoundTable[] {
  return tables
    .filter(({ start }) => start >= from && start < to)
    .map(({ start, end, table }) => ({ start: start - from, end: end - from, table }));
}

/** The bytes that no copy has. */
function* newParts(size: number, copies: CopyList): Generator<Part> {
  let from = 0;
  for (let index = 0; index < copies.count; index++) {
    const { newStart, length } = copies.at(index);
    yield { from, to: newStart };
    from = newStart + length;
  }
  yield { from, to: size };
}

function copiedBytes(copies: CopyList, from: number, to: number): number {
  let copied = 0;
  for (let index = 0; index < copies.count; index++) {
    const { newStart, length } = copies.at(index);
    copied += Math.max(0, Math.min(to, newStart + length) - Math.max(from, newStart));
  }
  return copied;
}

function partsOutside({ newStart, oldStart, length }: Copy, tables: readonly FoundTable[]): Copy[] {
  const parts: Copy[] = [];
  const add = (from: number, to: number): void => {
    if (from >= to) return;
    parts.push({ newStart: from, oldStart: oldStart + from - newStart, length: to - from });
  };
  let at = newStart;
  for (const { start, end } of tables) {
    add(at, Math.min(start, newStart + length));
    at = Math.max(at, end);
  }
  add(at, newStart + length);
  return parts;
}
