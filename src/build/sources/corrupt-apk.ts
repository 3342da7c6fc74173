import { PineError } from '../../error.ts';

/** The error for a file that is no package of Alpine, or not as it was signed. */
export function corruptApk(expected: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_APK', 'this is no whole package of Alpine', {
    expected,
    found,
    where,
    remedy: 'fetch the package again; packages of apk-tools 3 (.adb) are not read yet',
  });
}
