import { PineError } from '../../error.ts';
import { deltaVersions, newestVersion } from './delta-format.ts';

/** A delta that is not what its format or its hashes say. */
export function corruptDelta(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_DELTA', 'a delta is damaged', {
    expected,
    found,
    where,
    remedy: 'fetch it again; if it stays damaged, make it again: pinectl delta generate',
  });
}

/** One that a newer pinectl made, or one from before; or its version is damaged. */
export function unknownVersion(version: number, where: string): PineError {
  return new PineError('CORRUPT_DELTA', 'a delta is of a version that is not known here', {
    expected: `version ${deltaVersions.oldest} to ${newestVersion}`,
    found: `version ${version}`,
    where,
    remedy:
      version > newestVersion
        ? 'take a newer pinectl, or make the delta with this one: pinectl delta generate'
        : 'make it again: pinectl delta generate',
  });
}
