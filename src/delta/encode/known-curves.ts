import type { StoredCurve } from '../curves/curve-points.ts';

/** Bytes of a coordinate, of all of them. */
export const coordinateSize = 32;

/** A curve that tables are looked for, in one of the forms in which points are stored. The delta has its numbers: no decoder knows any. */
export interface KnownCurve {
  readonly curve: StoredCurve;
  isOn(x: bigint, y: bigint): boolean;
}

const ones = (bits: bigint): bigint => (1n << bits) - 1n;

const p256 = {
  p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
  a: -3n,
  b: 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn,
};
const sm2 = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  a: -3n,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
};
const secp256k1 = { p: ones(256n) - (1n << 32n) - 976n, a: 0n, b: 7n };

/** Those whose tables libraries may have in such a form. */
export const knownCurves: readonly KnownCurve[] = [
  known(p256, 'montgomery'),
  known(sm2, 'plain'),
  known(p256, 'plain'),
  known(sm2, 'montgomery'),
  known(secp256k1, 'plain'),
];

function known(
  { p, a, b }: { readonly p: bigint; readonly a: bigint; readonly b: bigint },
  form: 'plain' | 'montgomery',
): KnownCurve {
  const r = form === 'plain' ? 1n : (1n << BigInt(8 * coordinateSize)) % p;
  // All of the equation times r³, so that it is about what is stored.
  const linear = (((a + p) % p) * r * r) % p;
  const constant = (b * r * r * r) % p;
  return {
    curve: { p, a: (((a + p) % p) * r) % p, r },
    isOn: (x, y) => x < p && y < p && ((x * x + linear) * x + constant - y * y * r) % p === 0n,
  };
}
