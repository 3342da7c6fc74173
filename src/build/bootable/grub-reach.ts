import { grubObstacle } from '../../image/grub.ts';
import type { DirectoryNode } from '../../repo/tree.ts';
import { notBootable } from './tree-facts.ts';

/**
 * Checks that GRUB finds the kernel in the image of a tree: its squashfs reader cuts the length of a
 * listing to 16 bits, so a name at the end of a large directory is not there for it.
 */
export function checkGrubReach(root: DirectoryNode): void {
  const obstacle = grubObstacle(root, '/boot/vmlinuz');
  if (obstacle === undefined) return;
  throw notBootable("GRUB's squashfs reader could not find the kernel", {
    expected: 'directories on the way to /boot/vmlinuz that GRUB can read to their end',
    found: obstacle.reason,
    where: obstacle.path,
    remedy: 'move files out of it',
  });
}
