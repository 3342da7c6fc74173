/**
 * Gives the memory of an array of one's own back at once. The garbage collector would let several of 100 MB
 * gather before it looks for them. The array is empty afterwards.
 */
export function release({ buffer }: Uint8Array | Int32Array | Float64Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
