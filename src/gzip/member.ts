import { InvalidGzip } from './invalid-gzip.ts';

/** The fixed part of a member's header (RFC 1952). */
const fixedHeader = 10;
const flag = { checksum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
/** CRC-32 and size of the content, behind what is deflated. */
export const trailerSize = 8;
/** No longer header is looked at. */
export const longestHeader = 512;

/** How many bytes the header of a gzip member has, which begins `bytes`. Throws InvalidGzip. */
export function memberHeaderSize(bytes: Uint8Array): number {
  const [first, second, method, flags = 0] = bytes;
  if (first !== 0x1f || second !== 0x8b || method !== 8 || (flags & flag.reserved) !== 0) {
    throw new InvalidGzip('another magic number, method or flag');
  }
  let at = fixedHeader;
  if (flags & flag.extra) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [flag.name, flag.comment]) {
    if ((flags & text) === 0) continue;
    const end = bytes.indexOf(0, at);
    if (end < 0) throw new InvalidGzip('a header that is longer');
    at = end + 1;
  }
  if (flags & flag.checksum) at += 2;
  if (at > bytes.length) throw new InvalidGzip('a header that is longer');
  return at;
}
