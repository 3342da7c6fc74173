import { PineError } from '../../error.ts';

/** A delta that is not what its format or its hashes say. */
export function corruptDelta(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_DELTA', 'a delta is damaged', {
    expected,
    found,
    where,
    remedy: 'fetch it again; if it stays damaged, make it again: pinectl delta generate',
  });
}
