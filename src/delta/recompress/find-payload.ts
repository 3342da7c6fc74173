import type { ReadBytes } from '../../ports/read-bytes.ts';
import type { Payload } from './codec.ts';
import { findGzip } from './gzip-body.ts';
import { findKernelPayload } from './kernel-payload.ts';
import { findKernelLz4 } from './lz4-legacy.ts';

/** What is compressed in a file of `size` bytes by a codec that is known: a kernel's payload, or all behind a header. */
export async function findPayload(read: ReadBytes, size: number): Promise<Payload | undefined> {
  const kernel = await findKernelPayload(read, size);
  if (kernel === undefined) return findGzip(read, 0, size);
  const { offset, size: length } = kernel;
  return (await findKernelLz4(read, offset, length)) ?? (await findGzip(read, offset, length));
}
