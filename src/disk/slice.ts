import { PineError } from '../error.ts';
import type { BlockDevice } from '../ports/block-device.ts';

/** A part of a device as a device of its own: `size` bytes from `start` on. Nothing reaches outside. */
export function slice(device: BlockDevice, start: number, size: number): BlockDevice {
  const inside = (position: number, length: number) => {
    if (position >= 0 && length >= 0 && position + length <= size) return;
    throw new PineError('IO_OUTSIDE_DEVICE', 'a position lies outside the partition', {
      expected: `at most ${size} bytes`,
      found: `${length} bytes at ${position}`,
      where: `the partition at ${start}`,
      remedy: 'report this: pine should not have asked for it',
    });
  };
  if (start < 0 || size < 0 || start + size > device.size) {
    throw new PineError('IO_OUTSIDE_DEVICE', 'a partition lies outside its disk', {
      expected: `at most ${device.size} bytes`,
      found: `${size} bytes at ${start}`,
      where: 'the partition table',
      remedy: 'check that the disk or its image is whole',
    });
  }
  return {
    size,
    ...(device.unit !== undefined && start % device.unit === 0 && { unit: device.unit }),
    async read(position, length, into) {
      inside(position, length);
      return device.read(start + position, length, into);
    },
    async write(position, bytes) {
      inside(position, bytes.length);
      await device.write(start + position, bytes);
    },
    flush: () => device.flush(),
    close: () => device.close(),
  };
}
