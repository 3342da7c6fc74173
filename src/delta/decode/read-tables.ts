import type { CurveTable } from '../curves/curve-table.ts';
import { readNumber } from '../curves/little-endian.ts';
import { corruptDelta } from '../format/corrupt-delta.ts';
import { maxRowSize, maxTables, mostExpansion, tableBounds } from '../format/delta-format.ts';
import type { StreamReader } from './stream-reader.ts';

/** A table of points among the literals. */
export interface PlacedTable {
  /** Bytes of the literals stream that come first, behind the table before it. */
  readonly before: number;
  readonly table: CurveTable;
}

/** Reads what the plan stream begins with: tables that are computed. Throws CORRUPT_DELTA for one beyond the bounds. */
export async function readTables(
  plan: StreamReader,
  imageSize: number,
  name: string,
): Promise<PlacedTable[]> {
  const count = await plan.number();
  if (count > maxTables) throw corruptDelta(`at most ${maxTables} tables`, `${count}`, name);
  const tables: PlacedTable[] = [];
  for (let index = 0; index < count; index++) {
    tables.push(await readTable(plan, imageSize, `${name}, table ${index}`));
  }
  return tables;
}

async function readTable(
  plan: StreamReader,
  imageSize: number,
  where: string,
): Promise<PlacedTable> {
  const before = await plan.number();
  const length = await plan.number();
  const mostBytes = mostExpansion * imageSize;
  if (length === 0 || length > mostBytes) {
    throw corruptDelta(`a table of 1 to ${mostBytes} bytes`, `${length}`, where);
  }
  const bounded = async (name: keyof typeof tableBounds): Promise<number> => {
    const [least, most] = tableBounds[name];
    const value = await plan.number();
    if (value >= least && value <= most) return value;
    throw corruptDelta(`${name} of ${least} to ${most}`, `${value}`, where);
  };
  const width = await bounded('width');
  const rowPoints = await bounded('rowPoints');
  if (2 * width * rowPoints > maxRowSize) {
    throw corruptDelta(
      `a row of at most ${maxRowSize} bytes`,
      `${rowPoints} points of ${width}`,
      where,
    );
  }
  const [gap, doublings] = [await bounded('gap'), await bounded('doublings')];
  const numbers = new Uint8Array(5 * width);
  await plan.readInto(numbers);
  const [p = 0n, ...rest] = [0, 1, 2, 3, 4].map((at) => readNumber(numbers, at * width, width));
  if (p <= 3n || p % 2n === 0n || rest.some((value) => value >= p)) {
    throw corruptDelta('an odd number above 3, and four below it', 'others', where);
  }
  const [a = 0n, r = 0n, x = 0n, y = 0n] = rest;
  const table = { curve: { p, a, r }, length, width, rowPoints, gap, doublings, x, y };
  return { before, table };
}
