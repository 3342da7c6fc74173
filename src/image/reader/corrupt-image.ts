import { PineError } from '../../error.ts';

/** An image that is not what its format says. */
export function corruptImage(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_IMAGE', 'an image is damaged, or pine did not write it', {
    expected,
    found,
    where,
    remedy: 'write it again: pinectl upgrade; if it comes back, the medium is failing',
  });
}
