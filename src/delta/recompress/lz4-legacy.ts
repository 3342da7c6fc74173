import { compressLegacyFrame, expandLegacyFrame, legacyBlockSize } from '../../lz4/legacy-frame.ts';
import type { Codec } from './codec.ts';

/** `lz4 -l -9`, as kernels are packed. The numbers are the sizes of the blocks. */
export const lz4Legacy: Codec = {
  parameterCount: (size) => Math.ceil(size / legacyBlockSize),
  expand: expandLegacyFrame,
  compress(content, size, parameters) {
    const sizes = parameters[Symbol.iterator]();
    return compressLegacyFrame(content, size, async () => sizes.next().value ?? 0);
  },
};
