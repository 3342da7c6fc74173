import type { BlockDevice } from './block-device.ts';

/** Something of a known size that is read by position: a device, a file, bytes in memory. */
export type PositionedReader = Pick<BlockDevice, 'size' | 'read' | 'unit'>;

/** Reads bytes that are in memory already. */
export function bytesReader(bytes: Uint8Array): PositionedReader {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: buffer.length,
    read: async (position, length) => {
      if (position + length > buffer.length) throw new RangeError('read beyond the end');
      return buffer.subarray(position, position + length);
    },
  };
}
