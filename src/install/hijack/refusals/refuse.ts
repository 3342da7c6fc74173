import { type ErrorCode, PineError } from '../../../error.ts';

/** One thing that is in the way of a take-over. */
export function refuse(
  code: ErrorCode,
  summary: string,
  [expected, found, where, remedy]: readonly [string, string, string, string],
): PineError {
  return new PineError(code, summary, { expected, found, where, remedy });
}
