/** An address: of a user's program below 2^47, of a kernel above -2^47. */
export function addressAt(bytes: Buffer, at: number): number | undefined {
  const high = bytes.readInt32LE(at + 4);
  return high < -0x8000
    ? undefined
    : high < 0
      ? high * 2 ** 32 + bytes.readUInt32LE(at)
      : smallNumber(bytes, at);
}

/** A number of eight bytes that is below 2^47, as all of a user's program are. */
export function smallNumber(bytes: Buffer, at: number): number | undefined {
  const high = bytes.readUInt32LE(at + 4);
  return high < 0x8000 ? high * 2 ** 32 + bytes.readUInt32LE(at) : undefined;
}
