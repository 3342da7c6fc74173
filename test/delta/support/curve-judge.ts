import { createECDH } from 'node:crypto';
import { modulo } from '../../../src/delta/curves/inverse.ts';
import { knownCurves } from '../../../src/delta/encode/known-curves.ts';

const size = 32;

/** Curves by the names that OpenSSL has for them, and the number of theirs among the known ones. */
export const judgedCurves = [
  ['prime256v1', 'montgomery', 0],
  ['SM2', 'plain', 1],
  ['prime256v1', 'plain', 2],
  ['SM2', 'montgomery', 3],
  ['secp256k1', 'plain', 4],
] as const;

/** One of the known curves, which has to be there. */
export function knownCurve(index: number) {
  const known = knownCurves[index];
  if (known === undefined) throw new TypeError(`no curve ${index}`);
  return known;
}

/** k times the generator of a curve, as OpenSSL has it, in the form in which points are stored. */
export function multipleOf(name: string, index: number, k: bigint): readonly [bigint, bigint] {
  const { p, r } = knownCurve(index).curve;
  const ecdh = createECDH(name);
  ecdh.setPrivateKey(Buffer.from(k.toString(16).padStart(2 * size, '0'), 'hex'));
  const key = ecdh.getPublicKey();
  const at = (from: number): bigint =>
    modulo(BigInt(`0x${key.toString('hex', from, from + size)}`) * r, p);
  return [at(1), at(1 + size)];
}

/** Rows of a table as OpenSSL makes them: each point by itself. */
export function judgedTable(
  name: string,
  index: number,
  shape: { rows: number; rowPoints: number; gap: number; doublings: number },
): Buffer {
  const rows = Array.from({ length: shape.rows }, (_, row) => {
    const points = Array.from({ length: shape.rowPoints }, (_, point) => {
      const k = BigInt(point + 1) << BigInt(row * shape.doublings);
      return multipleOf(name, index, k).map(littleEndian);
    });
    return [...points.flat(), Buffer.alloc(shape.gap)];
  });
  return Buffer.concat(rows.flat());
}

function littleEndian(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex').reverse();
}
