import type { SourceDirectory, SourceTree } from '../source-tree.ts';
import { notBootable } from './tree-facts.ts';

/** Bytes that squashfs can give a directory's listing before GRUB 2.06 loses the end of it. */
const listingLimit = 0xffff - 3;

/**
 * Checks that GRUB 2.06 finds what it reads in /boot: its squashfs reader cuts the length of a
 * listing to 16 bits, so a name at the end of a large directory is not there for it.
 */
export function checkGrubReach(tree: SourceTree): void {
  for (const path of ['/', '/boot']) {
    const node = tree.find(path);
    if (node?.kind !== 'directory') {
      throw notBootable('GRUB could not read the kernel', {
        expected: 'a directory in the image itself',
        found: node === undefined ? 'nothing' : `a ${node.kind}`,
        where: path,
        remedy: 'make it a plain directory',
      });
    }
    const size = largestListing(node);
    if (size <= listingLimit) continue;
    throw notBootable("GRUB's squashfs reader could not find the kernel", {
      expected: `at most ${listingLimit} bytes of names in the directory`,
      found: `${node.entries.size} names, ${size} bytes`,
      where: path,
      remedy: 'move files out of it',
    });
  }
}

/**
 * The most bytes that the listing can take: 8 and the name for each entry, and a header of 12 for
 * every group of entries (docs/image-format.md): at worst each entry is a group of its own.
 */
function largestListing(directory: SourceDirectory): number {
  let bytes = 0;
  for (const name of directory.entries.keys()) bytes += 12 + 8 + Buffer.byteLength(name);
  return bytes;
}
