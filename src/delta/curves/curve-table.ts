import { CurvePoints, type StoredCurve } from './curve-points.ts';
import { writeNumber } from './little-endian.ts';

/** A table of a curve's points, x then y, as libraries have it to multiply the first one fast. docs/delta-format.md. */
export interface CurveTable {
  readonly curve: StoredCurve;
  /** Bytes of the whole table; it may end anywhere. */
  readonly length: number;
  /** Bytes of a coordinate. */
  readonly width: number;
  /** Points in a row: the first one, S, then 2S, 3S … */
  readonly rowPoints: number;
  /** Bytes behind each row, all of them 0. */
  readonly gap: number;
  /** How often a row's first point is doubled for that of the next row. */
  readonly doublings: number;
  /** The first point. */
  readonly x: bigint;
  readonly y: bigint;
}

/** The table's bytes, row by row, each good until the next is asked for. A row at a time is in memory. Throws NoPoint. */
export function* tableRows(table: CurveTable): Generator<Uint8Array, void> {
  const { width, rowPoints, gap, doublings } = table;
  const points = new CurvePoints(table.curve);
  const pointBytes = 2 * width;
  const row = new Uint8Array(rowPoints * pointBytes + gap);
  const view = new DataView(row.buffer);
  let { x, y } = table;
  for (let left = table.length; left > 0; left -= row.length) {
    const count = Math.min(rowPoints, Math.ceil(left / pointBytes));
    const made = points.multiples([x, y], count);
    for (let index = 0; index < count; index++) {
      writeNumber(view, index * pointBytes, width, made.x[index] ?? 0n);
      writeNumber(view, index * pointBytes + width, width, made.y[index] ?? 0n);
    }
    yield row.subarray(0, left);
    if (left <= row.length) return;
    // Of the doublings those that are in the row need not be made.
    const inRow = Math.min(doublings, Math.floor(Math.log2(rowPoints)));
    x = made.x[2 ** inRow - 1] ?? 0n;
    y = made.y[2 ** inRow - 1] ?? 0n;
    for (let done = inRow; done < doublings; done++) [x, y] = points.double([x, y]);
  }
}
