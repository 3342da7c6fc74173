import { PineError } from '../error.ts';

/** The error for a file or device that ends before what is read: `found` of so many bytes are there. */
export function shortRead(
  path: string,
  position: number,
  expected: number,
  found: number,
): PineError {
  return new PineError('IO_SHORT_READ', 'the device ends too early', {
    expected: `${expected} bytes at ${position}`,
    found: `${found} bytes`,
    where: path,
    remedy: 'check that the disk or its image is whole',
  });
}
