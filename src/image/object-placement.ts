import type { FileNode } from '../repo/tree.ts';
import type { OrderedDirectory } from './inode-order.ts';
import { limits, refuseTree } from './limits.ts';
import { superblockSize } from './squashfs/format.ts';

/** Where the content of an object lies in an image, in bytes. */
export interface PlacedObject {
  readonly checksum: string;
  readonly offset: number;
  readonly length: number;
}

export interface ObjectPlacement {
  /** By checksum. In the order in which they lie in the image, one behind the other. */
  readonly objects: ReadonlyMap<string, PlacedObject>;
  /** Where the last one ends. */
  readonly end: number;
}

/**
 * Gives every object its place: in the order of the inodes, each at its first mention. Empty files
 * have no bytes and so no place.
 */
export function placeObjects(directories: readonly OrderedDirectory[]): ObjectPlacement {
  const objects = new Map<string, PlacedObject>();
  let end = superblockSize;
  for (const { entries } of directories) {
    for (const { node, path } of entries) {
      if (node.kind !== 'file') continue;
      checkFile(node, path);
      if (node.size === 0) continue;
      const known = objects.get(node.checksum);
      if (known === undefined) {
        objects.set(node.checksum, { checksum: node.checksum, offset: end, length: node.size });
        end += node.size;
      } else if (known.length !== node.size) {
        refuseTree('INPUT_TREE', 'two files with one checksum have different sizes', {
          expected: `${known.length} bytes`,
          found: `${node.size} bytes`,
          where: path,
        });
      }
    }
  }
  return { objects, end };
}

function checkFile({ size, checksum }: FileNode, path: string): void {
  if (!/^[0-9a-f]{64}$/.test(checksum)) {
    refuseTree('INPUT_TREE', 'a file has no valid checksum', {
      expected: '64 hex digits',
      found: JSON.stringify(checksum.slice(0, 80)),
      where: path,
    });
  }
  if (!Number.isInteger(size) || size < 0 || size > limits.fileBytes) {
    refuseTree('INPUT_FILE_SIZE', 'a file is too large for an image', {
      expected: `0 to ${limits.fileBytes} bytes`,
      found: `${size} bytes`,
      where: path,
    });
  }
}
