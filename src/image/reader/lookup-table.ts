import type { PositionedReader } from '../../ports/positioned-reader.ts';
import { metadataBlockSize, storedMetadataBlockSize } from '../squashfs/format.ts';
import { corruptImage } from './corrupt-image.ts';
import { MetadataReader } from './metadata-reader.ts';

/**
 * Opens a table of `payload` bytes whose blocks end at `blocksEnd`, and whose list of the blocks'
 * positions lies at `array` and ends at `end`. Checks the list.
 */
export async function openLookupTable(
  reader: PositionedReader,
  table: { payload: number; blocksEnd: number; array: number; end: number; name: string },
): Promise<{ readonly entries: MetadataReader; readonly start: number }> {
  const { payload, blocksEnd, array, end, name } = table;
  const blocks = Math.ceil(payload / metadataBlockSize);
  const start = blocksEnd - payload - 2 * blocks;
  if (start < 0 || array + 8 * blocks !== end) {
    throw corruptImage(`${blocks} blocks in a list up to ${end}`, `a list at ${array}`, name);
  }
  const perRead = 512;
  for (let first = 0; first < blocks; first += perRead) {
    const count = Math.min(perRead, blocks - first);
    const positions = await reader.read(array + 8 * first, 8 * count);
    for (let index = 0; index < count; index++) {
      const position = BigInt(start + (first + index) * storedMetadataBlockSize);
      const found = positions.readBigUInt64LE(8 * index);
      if (found !== position) throw corruptImage(`a block at ${position}`, `${found}`, name);
    }
  }
  return { entries: new MetadataReader(reader, start, blocksEnd, name), start };
}
