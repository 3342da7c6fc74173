import { PineError } from '../error.ts';

/** The error for bytes that are no tar, or not all of one; `offset` counts unpacked bytes. */
export function corruptTar(summary: string, expected: string, found: string, offset: number) {
  return new PineError('CORRUPT_TAR', summary, {
    expected,
    found,
    where: `byte ${offset} of the archive`,
    remedy: 'make the archive again, or fetch it again from where it is whole',
  });
}
