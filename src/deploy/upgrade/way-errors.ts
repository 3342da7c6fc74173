import { type ErrorCode, PineError } from '../../error.ts';

/**
 * What comes in place of a file that a remote does not give to us. It says nothing of the connection, and it is about this one
 * file: another may be given. REMOTE_BROKEN, REMOTE_UNREACHABLE and the like are not here. They end an upgrade, so that what was
 * fetched of a delta is gone on with by the next one.
 */
const answers: readonly ErrorCode[] = [
  'NOT_FOUND_REMOTE_FILE',
  'REMOTE_REFUSED',
  'REMOTE_STATUS',
  'REMOTE_REDIRECT',
  'REMOTE_ENCODED',
  'REMOTE_NO_LENGTH',
  // The same of a repository in a folder.
  'IO_EACCES',
  'IO_ELOOP',
];

/** What may be wrong with any file that is given. */
const ofAnyFile: readonly ErrorCode[] = ['CORRUPT_TOO_LARGE', 'REMOTE_CHANGED', 'REMOTE_RANGE'];

const ofTheDelta: readonly ErrorCode[] = [
  'CORRUPT_DELTA',
  'CORRUPT_DELTA_INDEX',
  'INPUT_DELTA_CHAIN',
  'TRUST_NO_SIGNATURE',
  'TRUST_UNKNOWN_KEY',
  'SPACE_DATA',
];

const ofFiles: readonly ErrorCode[] = ['CORRUPT_OBJECT', 'CORRUPT_GVARIANT', 'CORRUPT_PLAN'];

/** Whether the remote has answered, and did not give the file. */
export function isAnswer(error: unknown): error is PineError {
  return error instanceof PineError && answers.includes(error.code);
}

/** What is wrong with a delta or the list of them, and not with the upgrade: there are other ways. */
export function isOfTheDelta(error: unknown): error is PineError {
  return isOfAnyFile(error) || (error instanceof PineError && ofTheDelta.includes(error.code));
}

/** What is wrong with the new plan or one of the files that it names, and not with the upgrade. */
export function isOfFiles(error: unknown): error is PineError {
  return isOfAnyFile(error) || (error instanceof PineError && ofFiles.includes(error.code));
}

function isOfAnyFile(error: unknown): error is PineError {
  return isAnswer(error) || (error instanceof PineError && ofAnyFile.includes(error.code));
}
