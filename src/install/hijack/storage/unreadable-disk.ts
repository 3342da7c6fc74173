import { PineError } from '../../../error.ts';

/** The error for a disk that can't be opened or read, by what the system said; one of ours stays as it is. */
export function unreadableDisk(path: string, error: unknown): PineError {
  if (error instanceof PineError) return error;
  return new PineError('IO_READ_DISK', "the disk can't be read", {
    expected: 'to read its partition table',
    found: error instanceof Error ? error.message : String(error),
    where: path,
    remedy: 'run this as root, on the machine itself',
    cause: error,
  });
}
