import { inverseOf, modulo } from './inverse.ts';

/** There is no such point: the sum is at infinity, or what should be a prime is none. */
export class NoPoint extends Error {}

/**
 * A curve y² = x³ + ax + b modulo a prime p, as its points are stored: coordinates, and a, times r (1, or that of Montgomery's form).
 * No sum of points needs b.
 */
export interface StoredCurve {
  readonly p: bigint;
  readonly a: bigint;
  readonly r: bigint;
}

/** A point in stored form. */
export type Point = readonly [x: bigint, y: bigint];

/** Several of them, the x of all and the y of all. */
export interface Points {
  readonly x: bigint[];
  readonly y: bigint[];
}

/** Adds points of a curve, in the form in which they are stored. */
export class CurvePoints {
  readonly #curve: StoredCurve;
  readonly #inverseR: bigint;

  /** Throws NoPoint when r has no inverse. */
  constructor(curve: StoredCurve) {
    this.#curve = curve;
    this.#inverseR = this.#inverse(curve.r);
  }

  /** S, 2S, 3S … so many. Throws NoPoint. */
  multiples([x, y]: Point, count: number): Points {
    const points = { x: new Array<bigint>(count).fill(x), y: new Array<bigint>(count).fill(y) };
    for (let known = 1; known < count; known *= 2) {
      this.#addLast(points, known, Math.min(known, count - known));
    }
    return points;
  }

  /** Throws NoPoint. */
  double([x, y]: Point): Point {
    const { x: xs, y: ys } = this.multiples([x, y], 2);
    return [xs[1] ?? 0n, ys[1] ?? 0n];
  }

  /** Whether the second point is twice the first one: quicker than making that, for it takes no inverse. */
  isTwice([x, y]: Point, [x2, y2]: Point): boolean {
    const { p, a, r } = this.#curve;
    const rise = 3n * ((x * x) % p) * this.#inverseR + a;
    const run = 2n * y;
    const square = (run * run) % p;
    if (((x2 + 2n * x) * square - ((rise * rise) % p) * r) % p !== 0n) return false;
    return (rise * (x - x2) - (y + y2) * run) % p === 0n;
  }

  /**
   * Of the first `known` points adds the last one to `count` of them, from the first on. One inverse is found for all of
   * them together: of the product of all divisors.
   */
  #addLast({ x, y }: Points, known: number, count: number): void {
    const { p, a, r } = this.#curve;
    const [lastX, lastY] = [x[known - 1] ?? 0n, y[known - 1] ?? 0n];
    const divisors = new Array<bigint>(count).fill(0n);
    const products = new Array<bigint>(count).fill(0n);
    let product = 1n;
    for (let index = 0; index < count; index++) {
      const isDouble = index === known - 1;
      const divisor = isDouble ? 2n * lastY : lastX - (x[index] ?? 0n);
      divisors[index] = divisor;
      products[index] = product;
      product = (product * divisor) % p;
    }
    let inverse = this.#inverse(product);
    for (let index = count - 1; index >= 0; index--) {
      const [firstX, firstY] = [x[index] ?? 0n, y[index] ?? 0n];
      const isDouble = index === known - 1;
      const rise = isDouble ? 3n * ((lastX * lastX) % p) * this.#inverseR + a : lastY - firstY;
      const slope = (rise * ((inverse * (products[index] ?? 0n)) % p)) % p;
      inverse = (inverse * (divisors[index] ?? 0n)) % p;
      const square = r === 1n ? slope * slope : ((slope * slope) % p) * r;
      const sumX = modulo(square - firstX - lastX, p);
      x[known + index] = sumX;
      y[known + index] = modulo(slope * (firstX - sumX) - firstY, p);
    }
  }

  #inverse(value: bigint): bigint {
    const inverse = inverseOf(value, this.#curve.p);
    if (inverse === undefined) throw new NoPoint('a divisor that has no inverse');
    return inverse;
  }
}
