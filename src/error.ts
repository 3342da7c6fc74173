/**
 * Every error that a user can meet, and the exit status that its family has.
 *
 * The families are documented in docs/errors.md; a code never changes its meaning.
 */
const exitStatuses = {
  /** The command line is wrong. */
  USAGE: 2,
  /** Something given to pine (a tree, a file, a layout) can't be used as it is. */
  INPUT: 3,
  /** Bytes are not what their checksum, size or format says. */
  CORRUPT: 4,
  /** A signature, key, ref or version is not one that may be acted on. */
  TRUST: 5,
  /** The operation is refused in the present state: a trial, a lock, nothing to go back to. */
  STATE: 6,
  /** There is not enough room. Nothing was written. */
  SPACE: 7,
  /** The remote can't be reached, is slow, or stopped half-way. */
  REMOTE: 8,
  /** What was asked for does not exist. */
  NOT_FOUND: 9,
  /** A program that pine calls is missing or failed. */
  PROGRAM: 10,
  /** The operating system refused to read or write. */
  IO: 11,
} as const;

export type ErrorFamily = keyof typeof exitStatuses;

/** A stable name: the family, then what exactly, as in `CORRUPT_OBJECT`. */
export type ErrorCode = `${ErrorFamily}_${Uppercase<string>}`;

/** The four things that every message says, each a phrase without a full stop. */
export interface ErrorDetails {
  /** What would have been right. */
  readonly expected: string;
  /** What was there instead. */
  readonly found: string;
  /** The file, offset, line, address or argument it is about. */
  readonly where: string;
  /** What the reader can do now. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The one error class of pine: a stable code, an exit status, and what to do about it. */
export class PineError extends Error {
  override readonly name = 'PineError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, summary: string, details: ErrorDetails) {
    super(summary, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.details = details;
  }

  get exitStatus(): number {
    const family = this.code.slice(0, this.code.indexOf('_')).replace(/^NOT$/, 'NOT_FOUND');
    return exitStatuses[family as ErrorFamily] ?? 1;
  }

  /** The whole message, as the command line prints it. */
  toText(): string {
    const { expected, found, where, remedy } = this.details;
    return [
      `${this.code}: ${this.message}`,
      `  expected: ${expected}`,
      `  found:    ${found}`,
      `  where:    ${where}`,
      `  do:       ${remedy}`,
    ].join('\n');
  }

  toJSON(): object {
    const { cause: _, ...details } = this.details;
    return { code: this.code, message: this.message, ...details };
  }
}
