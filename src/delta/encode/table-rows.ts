import { CurvePoints, type Point } from '../curves/curve-points.ts';
import type { CurveTable } from '../curves/curve-table.ts';
import { readNumber } from '../curves/little-endian.ts';
import { maxRowSize, tableBounds } from '../format/delta-format.ts';
import { coordinateSize, type KnownCurve } from './known-curves.ts';

/** Bytes of a point. */
const stride = 2 * coordinateSize;
const [leastPoints] = tableBounds.rowPoints;
const mostPoints = Math.min(tableBounds.rowPoints[1], maxRowSize / stride);
/** Where rows follow each other at once, so many beginnings tell how long they are. */
const enoughStarts = 4;
/** Zeros of a point may be next to those between rows. */
const zerosOfPoints = 3;

/** Where a table may begin, and what it would be, but for its length. */
export interface TableGuess {
  readonly start: number;
  readonly shape: Omit<CurveTable, 'length'>;
}

/** Looks around a point of a known curve for the rows that it is in. */
export class TableRows {
  readonly #bytes: Uint8Array;
  readonly #known: KnownCurve;
  readonly #points: CurvePoints;
  /** What is before is of no interest. */
  readonly #from: number;

  constructor(bytes: Uint8Array, known: KnownCurve, from: number) {
    this.#bytes = bytes;
    this.#known = known;
    this.#points = new CurvePoints(known.curve);
    this.#from = from;
  }

  /** What the table that has the point at `at` may be. */
  guess(at: number): TableGuess[] {
    let first = at;
    while (this.#isPoint(first - stride)) first -= stride;
    // Two rows, and what may be missing of a first one.
    const farthest = at + 3 * mostPoints * stride;
    let end = at + stride;
    while (end < farthest && this.#isPoint(end)) end += stride;
    const gap = this.#gapBehind(end) || this.#gapBefore(first);
    if (gap > 0) return this.#guessApart(first, end, gap);
    return this.#guessJoined(first, Math.floor((end - first) / stride));
  }

  /** Rows with zeros between them. */
  #guessApart(first: number, end: number, gap: number): TableGuess[] {
    const next = end + gap;
    let nextEnd = next;
    while (nextEnd - next < mostPoints * stride && this.#isPoint(nextEnd)) nextEnd += stride;
    // Of the first one the beginning may be missing, of the last the end.
    const rowPoints = Math.max(end - first, nextEnd - next) / stride;
    const row = rowPoints * stride + gap;
    let start = this.#isStart(first) ? first : next;
    while (this.#isPoint(start - row) && this.#isStart(start - row)) start -= row;
    return this.#guessRows(start, rowPoints, gap);
  }

  /** Rows that follow each other at once: where one begins the next point is twice it, and it may be so at its end, too. */
  #guessJoined(first: number, count: number): TableGuess[] {
    const starts: number[] = [];
    for (let index = 0; index < count - 1 && starts.length < enoughStarts; index++) {
      // Where none begins in what would be a row, these are other points.
      if (starts.length === 0 && index > mostPoints) break;
      if (this.#isStart(first + index * stride)) starts.push(index);
    }
    return starts.slice(0, 2).flatMap((start) => {
      const lengths = starts.map((other) => other - start);
      const alone = Math.min(mostPoints, count - start);
      const at = first + start * stride;
      return [...lengths, alone].flatMap((rowPoints) => this.#guessRows(at, rowPoints, 0));
    });
  }

  #guessRows(start: number, rowPoints: number, gap: number): TableGuess[] {
    if (rowPoints < leastPoints || rowPoints > mostPoints || !this.#isPoint(start)) return [];
    const doublings = this.#doublingsTo(start, start + rowPoints * stride + gap);
    if (doublings === undefined) return [];
    const [x, y] = this.#point(start);
    const { curve } = this.#known;
    const shape = { curve, width: coordinateSize, rowPoints, gap, doublings, x, y };
    return [{ start, shape }];
  }

  /** How often the point at `start` is doubled for the one at `next`; any number will do where that is none. */
  #doublingsTo(start: number, next: number): number | undefined {
    const [least, most] = tableBounds.doublings;
    if (!this.#isPoint(next)) return least;
    const [nextX] = this.#point(next);
    let [x, y] = this.#point(start);
    for (let doublings = 1; doublings <= most; doublings++) {
      [x, y] = this.#points.double([x, y]);
      if (x === nextX) return doublings;
    }
    return undefined;
  }

  /** Whether the point behind is twice the one that is here. */
  #isStart(at: number): boolean {
    const next = at + stride;
    return this.#isPoint(next) && this.#points.isTwice(this.#point(at), this.#point(next));
  }

  #gapBehind(end: number): number {
    let zeros = 0;
    while (zeros <= tableBounds.gap[1] && this.#bytes[end + zeros] === 0) zeros++;
    return this.#firstGap(zeros, (gap) => this.#isPoint(end + gap));
  }

  #gapBefore(first: number): number {
    let zeros = 0;
    while (zeros <= tableBounds.gap[1] && this.#bytes[first - zeros - 1] === 0) zeros++;
    return this.#firstGap(zeros, (gap) => this.#isPoint(first - gap - stride));
  }

  #firstGap(zeros: number, isOne: (gap: number) => boolean): number {
    for (let gap = zeros; gap > 0 && gap >= zeros - zerosOfPoints; gap--) {
      if (gap <= tableBounds.gap[1] && isOne(gap)) return gap;
    }
    return 0;
  }

  #isPoint(at: number): boolean {
    if (at < this.#from || at + stride > this.#bytes.length) return false;
    return this.#known.isOn(...this.#point(at));
  }

  #point(at: number): Point {
    const y = readNumber(this.#bytes, at + coordinateSize, coordinateSize);
    return [readNumber(this.#bytes, at, coordinateSize), y];
  }
}
