import { PineError } from '../error.ts';
import type { Layout, LayoutPartition } from './layout.ts';
import { leastData } from './layout-rules.ts';

/** A partition with its place on a disk of known size, in bytes. */
export interface PlacedPartition extends LayoutPartition {
  readonly size: number;
}

const mebibyte = 1 << 20;
/** The backup table, behind the last partition: a header and 32 sectors of entries. */
const backupSize = 33 * 512;

/** The least size in bytes of a disk that the layout fits on. */
export function leastDiskSize(layout: Layout): number {
  const ends = layout.partitions.map(({ start, size }) => start + (size ?? leastData));
  return Math.ceil((Math.max(...ends) + backupSize) / mebibyte) * mebibyte;
}

/**
 * Places the layout on a disk of `diskSize` bytes: `data` gets what is left, in whole MiB.
 * Throws SPACE_DISK, saying by how much, when it does not fit.
 */
export function placeLayout(layout: Layout, diskSize: number): PlacedPartition[] {
  const needed = leastDiskSize(layout);
  if (diskSize < needed) {
    throw new PineError('SPACE_DISK', 'the disk is too small for the layout', {
      expected: `${needed} bytes or more`,
      found: `${diskSize} bytes: ${needed - diskSize} too few`,
      where: layout.name,
      remedy: 'take a larger disk (--size) or a layout with smaller slots',
    });
  }
  const end = Math.floor((diskSize - backupSize) / mebibyte) * mebibyte;
  return layout.partitions.map((partition) => ({
    ...partition,
    size: partition.size ?? end - partition.start,
  }));
}
