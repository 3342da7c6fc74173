/** Reads four bytes as a signed number; those behind the end count as 0. */
export function int32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Writes four bytes. */
export function writeWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word;
  bytes[at + 1] = word >> 8;
  bytes[at + 2] = word >> 16;
  bytes[at + 3] = word >> 24;
}

/** Writes a number in two's complement, of four or eight bytes. */
export function writeNumber(bytes: Uint8Array, at: number, value: number, width: number): void {
  writeWord(bytes, at, value | 0);
  if (width === 8) writeWord(bytes, at + 4, upperHalf(value));
}

/** Writes of such a number the bytes that lie within `bytes`. */
export function writeNumberWithin(
  bytes: Uint8Array,
  at: number,
  value: number,
  width: number,
): void {
  for (let byte = Math.max(0, -at); byte < width && at + byte < bytes.length; byte++) {
    bytes[at + byte] = byteOf(value, byte);
  }
}

/** A byte of a number in two's complement, in its lowest eight bits. */
export function byteOf(value: number, byte: number): number {
  return byte < 4 ? (value | 0) >>> (8 * byte) : upperHalf(value) >>> (8 * (byte - 4));
}

/** The upper four of the eight bytes of a number in two's complement. */
function upperHalf(value: number): number {
  return Math.floor(value / 2 ** 32) | 0;
}
