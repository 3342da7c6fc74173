import { corruptPlan, recordKind } from './plan-format.ts';

/** A record of a plan file, as it is stored. */
export type StoredRecord = {
  /** Where the segment begins in the image. */
  readonly position: number;
  readonly length: number;
} & (
  | { readonly kind: typeof recordKind.zeros }
  | { readonly kind: typeof recordKind.literal; readonly literalOffset: number }
  | { readonly kind: typeof recordKind.object; readonly checksum: string }
);

/** Reads the record that `bytes` begins with; `where` names it in CORRUPT_PLAN. */
export function decodeRecord(bytes: Buffer, where: string): StoredRecord {
  const position = bytes.readUIntLE(0, 6);
  const kind = bytes.readUInt16LE(6);
  const length = bytes.readUIntLE(8, 6);
  if (length === 0) throw corruptPlan('a length above 0', 'a length of 0', where);
  requireZeros(bytes.subarray(14, 16), where);
  switch (kind) {
    case recordKind.zeros:
      requireZeros(bytes.subarray(16, 48), where);
      return { position, length, kind };
    case recordKind.literal:
      requireZeros(bytes.subarray(22, 48), where);
      return { position, length, kind, literalOffset: bytes.readUIntLE(16, 6) };
    case recordKind.object:
      return { position, length, kind, checksum: bytes.toString('hex', 16, 48) };
    default:
      throw corruptPlan('kind 1, 2 or 3', `kind ${kind}`, where);
  }
}

function requireZeros(bytes: Buffer, where: string): void {
  if (bytes.every((byte) => byte === 0)) return;
  throw corruptPlan('zeros where nothing is stored', bytes.toString('hex'), where);
}
