import { PineError } from '../error.ts';

/** Numbers of the plan file's format, version 1: docs/plan-format.md. */
export const planMagic = Buffer.from('PINEPLAN');
export const planVersion = 1;

/** Bytes of the header, and of each record. */
export const recordSize = 48;
/** Bytes of an index entry: the first bytes of a checksum, and the number of its record. */
export const indexEntrySize = 8;
export const indexPrefixSize = 4;

export const recordKind = { zeros: 1, literal: 2, object: 3 } as const;

/** More than any image has (image/limits.ts); bounds what is in memory when a plan is made (S9). */
export const maxSegments = 2 ** 21;
/** Positions and lengths have 48 bits, so that sums of them stay exact numbers. */
export const maxLength = 2 ** 48 - 1;

/** Where the parts of a plan file lie. */
export interface PlanShape {
  readonly imageSize: number;
  readonly segments: number;
  readonly objects: number;
  readonly literalBytes: number;
}

/** Position of the index, of the literals, and of the end. */
export function planParts({ segments, objects, literalBytes }: PlanShape) {
  const index = recordSize * (1 + segments);
  const literals = index + indexEntrySize * objects;
  return { index, literals, end: literals + literalBytes };
}

/** A plan that is not what its format says. */
export function corruptPlan(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_PLAN', 'the plan of an image is damaged', {
    expected,
    found,
    where,
    remedy: 'make it again: pinectl plan REF, on the host that has the repository',
  });
}
