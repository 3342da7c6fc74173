/** FNV's prime, of 32 bits. Source: draft-eastlake-fnv, "FNV Primes". */
const prime = 0x01000193;

/** A hash of `length` bytes from `start` on, which goes on from `hash`; what lies outside the file counts as zeros. */
export function hashBytes(file: Uint8Array, start: number, length: number, hash = 0): number {
  let result = hash;
  for (let at = start; at < start + length; at++) {
    result = Math.imul(result ^ (file[at] ?? 0), prime);
  }
  return result | 0;
}

/** A hash of the bytes from `start` on up to the first zero, and at most `longest` of them. Of none it is 0. */
export function hashText(file: Uint8Array, start: number | undefined, longest: number): number {
  let result = 0;
  if (start === undefined || start < 0) return result;
  for (let at = start; at < start + longest; at++) {
    const byte = file[at] ?? 0;
    if (byte === 0) break;
    result = Math.imul(result ^ byte, prime);
  }
  return result | 0;
}
