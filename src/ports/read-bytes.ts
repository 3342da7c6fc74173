/** Reads `length` bytes from a position on. */
export type ReadBytes = (position: number, length: number) => Promise<Uint8Array>;
