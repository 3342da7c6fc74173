import { type CurveTable, tableRows } from '../../../src/delta/curves/curve-table.ts';
import { knownCurve, multipleOf } from './curve-judge.ts';

/** The shape of a table of 16 KiB a row, as OpenSSL has it of SM2. */
export const apart = { rowPoints: 255, gap: 64, doublings: 8 };
/** The shape of one without gaps, as OpenSSL has it of P-256. */
export const joined = { rowPoints: 64, gap: 0, doublings: 7 };

/** A table of a curve from its generator on. */
export function tableOf(
  name: string,
  index: number,
  shape: Pick<CurveTable, 'length' | 'rowPoints' | 'gap' | 'doublings'>,
): CurveTable {
  const [x, y] = multipleOf(name, index, 1n);
  return { curve: knownCurve(index).curve, width: 32, x, y, ...shape };
}

/** Its bytes, made by the generator that decoders have: OpenSSL's judgement of that is in curves/. */
export function bytesOf(table: CurveTable): Buffer {
  const rows: Buffer[] = [];
  for (const row of tableRows(table)) rows.push(Buffer.from(row));
  return Buffer.concat(rows);
}
