/** The number of so many bytes, the lowest first. */
export function readNumber(bytes: Uint8Array, at: number, width: number): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, width);
  let left = width;
  let value = 0n;
  for (; left % 8 > 0; left--) value = (value << 8n) | BigInt(view.getUint8(left - 1));
  for (; left > 0; left -= 8) value = (value << 64n) | view.getBigUint64(left - 8, true);
  return value;
}

/** Writes a number as so many bytes, the lowest first. */
export function writeNumber(view: DataView, at: number, width: number, value: bigint): void {
  let rest = value;
  let done = 0;
  // What is above 64 bits is left out by itself.
  for (; width - done >= 8; done += 8, rest >>= 64n) view.setBigUint64(at + done, rest, true);
  for (; done < width; done++, rest >>= 8n) view.setUint8(at + done, Number(rest & 255n));
}
