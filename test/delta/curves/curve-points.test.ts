import { describe, expect, test } from 'vitest';
import { CurvePoints, NoPoint, type Point } from '../../../src/delta/curves/curve-points.ts';
import { inverseOf, modulo } from '../../../src/delta/curves/inverse.ts';
import { judgedCurves, knownCurve, multipleOf } from '../support/curve-judge.ts';

describe('an inverse', () => {
  test.each([5n, 7n, 15n, 63n, 101n, 105n])('modulo %s is the one that trying finds', (modulus) => {
    const all = Array.from({ length: Number(modulus) }, (_, value) => BigInt(value));
    for (const value of all) {
      const tried = all.find((other) => modulo(value * other, modulus) === 1n);
      expect(inverseOf(value, modulus)).toBe(tried);
      expect(inverseOf(value - 3n * modulus, modulus)).toBe(tried);
    }
  });
});

describe.each(judgedCurves)('points of %s, %s', (name, _, index) => {
  const { curve, isOn } = knownCurve(index);
  const points = new CurvePoints(curve);

  test('are those that OpenSSL makes', () => {
    const { x, y } = points.multiples(multipleOf(name, index, 1n), 300);
    for (let k = 1; k <= 300; k++) {
      expect([x[k - 1], y[k - 1]]).toEqual(multipleOf(name, index, BigInt(k)));
    }
  });

  test('from another one on', () => {
    const start = 0x1234567890abcdef1234567890abcdefn;
    const { x, y } = points.multiples(multipleOf(name, index, start), 33);
    expect([x[32], y[32]]).toEqual(multipleOf(name, index, 33n * start));
    expect(x.length).toBe(33);
  });

  test('are doubled, and known for twice another one', () => {
    let point: Point = multipleOf(name, index, 7n);
    for (let power = 1n; power <= 40n; power++) {
      const twice = points.double(point);
      expect(twice).toEqual(multipleOf(name, index, 7n << power));
      expect(points.isTwice(point, twice)).toBe(true);
      expect(points.isTwice(twice, point)).toBe(false);
      expect(points.isTwice(point, [twice[0], twice[1] + 1n])).toBe(false);
      expect(points.isTwice(point, [twice[0] + 1n, twice[1]])).toBe(false);
      point = twice;
    }
  });

  test('are on the curve, and others are not', () => {
    const [x, y] = multipleOf(name, index, 12345n);
    expect(isOn(x, y)).toBe(true);
    expect(isOn(x, curve.p - y)).toBe(true);
    expect(isOn(x, y + 1n)).toBe(false);
    expect(isOn(x + 1n, y)).toBe(false);
    expect(isOn(x + curve.p, y)).toBe(false);
    expect(isOn(0n, 0n)).toBe(false);
  });

  test('end where the point at infinity would be', () => {
    const [x, y] = multipleOf(name, index, 1n);
    // Behind a point and its negative.
    expect(() => points.double([x, 0n])).toThrow(NoPoint);
    expect(points.multiples([x, y], 1)).toEqual({ x: [x], y: [y] });
  });
});

test('a curve of few points ends soon', () => {
  // y² = x³ + 2x + 2 modulo 17 has 19 points.
  const points = new CurvePoints({ p: 17n, a: 2n, r: 1n });
  const { x, y } = points.multiples([5n, 1n], 9);
  expect(x).toEqual([5n, 6n, 10n, 3n, 9n, 16n, 0n, 13n, 7n]);
  expect(y).toEqual([1n, 3n, 6n, 1n, 16n, 13n, 6n, 7n, 6n]);
  expect(() => points.multiples([5n, 1n], 19)).toThrow(NoPoint);
});

test('no prime: a divisor without an inverse', () => {
  expect(() => new CurvePoints({ p: 15n, a: 2n, r: 5n })).toThrow(NoPoint);
  expect(() => new CurvePoints({ p: 15n, a: 2n, r: 1n }).double([1n, 3n])).toThrow(NoPoint);
  expect(() => new CurvePoints({ p: 17n, a: 2n, r: 0n })).toThrow(NoPoint);
});
