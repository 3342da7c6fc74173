import { expect } from 'vitest';
import { type ErrorCode, PineError } from '../../src/error.ts';

/** Runs something that must fail with this code, and gives the error for a closer look. */
export function codeOf(run: () => unknown, code: ErrorCode): PineError {
  try {
    run();
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`expected ${code}, but nothing was thrown`);
}

/** The same for what returns a promise. */
export async function codeOfAsync(
  run: () => Promise<unknown>,
  code: ErrorCode,
): Promise<PineError> {
  try {
    await run();
  } catch (error) {
    return checked(error, code);
  }
  throw new Error(`expected ${code}, but nothing was thrown`);
}

function checked(error: unknown, code: ErrorCode): PineError {
  if (!(error instanceof PineError)) throw error;
  expect(error.code, error.toText()).toBe(code);
  for (const text of Object.values(error.toJSON())) expect(text).not.toBe('');
  return error;
}
