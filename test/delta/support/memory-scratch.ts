import type { Scratch } from '../../../src/delta/recompress/scratch.ts';

/** A scratch in memory, which sees that it is used as a file on a disk has to be. */
export function memoryScratch(): Scratch & {
  readonly most: () => number;
  readonly isEmpty: () => boolean;
} {
  let bytes = Buffer.alloc(0);
  let most = 0;
  return {
    async add(more) {
      bytes = Buffer.concat([bytes, more]);
      most = Math.max(most, bytes.length);
    },
    async finish() {},
    async read(position, length) {
      if (position + length > bytes.length) throw new RangeError('beyond what was added');
      return bytes.subarray(position, position + length);
    },
    async clear() {
      bytes = Buffer.alloc(0);
    },
    most: () => most,
    isEmpty: () => bytes.length === 0,
  };
}
