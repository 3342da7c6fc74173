import { InvalidLz4 } from '../../lz4/invalid-lz4.ts';
import {
  compressLegacyFrame,
  expandLegacyFrame,
  legacyBlockSize,
  legacyBlocks,
  legacyMagic,
} from '../../lz4/legacy-frame.ts';
import type { ReadBytes } from '../../ports/read-bytes.ts';
import { codecNumber, deltaVersions } from '../format/delta-format.ts';
import type { Codec, Payload } from './codec.ts';

/** In a kernel the length of the content stands behind what is compressed. */
const contentSize = 4;

/** `lz4 -l -9`, as kernels are packed. The numbers are the sizes of the blocks. */
export const lz4Legacy: Codec = {
  parameterCount: (size) => Math.ceil(size / legacyBlockSize),
  versionFor: () => deltaVersions.oldest,
  expand: expandLegacyFrame,
  compress(content, size, parameters) {
    const sizes = parameters[Symbol.iterator]();
    return compressLegacyFrame(content, size, async () => sizes.next().value ?? 0);
  },
};

/** The frame, if the `size` bytes from `offset` on are one, as a kernel has it. */
export async function findKernelLz4(
  read: ReadBytes,
  offset: number,
  size: number,
): Promise<Payload | undefined> {
  const length = size - contentSize;
  if (length < 4) return undefined;
  const start = await read(offset, 4);
  const magic = new DataView(start.buffer, start.byteOffset, 4).getUint32(0, true);
  if (magic !== legacyMagic) return undefined;
  try {
    const blocks = await legacyBlocks((at, count) => read(offset + at, count), length);
    return { codec: codecNumber.lz4Legacy, offset, size: length, ways: [blocks] };
  } catch (error) {
    if (error instanceof InvalidLz4) return undefined;
    throw error;
  }
}
