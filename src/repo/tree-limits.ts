import { PineError } from '../error.ts';

/** Directories inside each other: more do not fit into a path. */
export const deepest = 2048;
/** More than any root has, in one folder or in all; a tree of few objects that contain each other reaches it soon (S5). */
export const mostEntries = 1_000_000;

/** The error for a tree that is beyond a bound. */
export function tooMuch(summary: string, bound: string, where: string): PineError {
  return new PineError('CORRUPT_TREE', summary, {
    expected: `at most ${bound}`,
    found: 'more',
    where,
    remedy: 'do not use this commit: it is made to exhaust who reads it',
  });
}
