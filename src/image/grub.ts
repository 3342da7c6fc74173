import type { DirectoryNode, TreeNode } from '../repo/tree.ts';
import { orderInodes } from './inode-order.ts';
import { placeObjects } from './object-placement.ts';
import { largestBasicListing } from './squashfs/inode.ts';
import { buildTables } from './tables.ts';

/** Why GRUB would not find a path. */
export interface GrubObstacle {
  /** The directory or name that is in the way. */
  readonly path: string;
  readonly reason: string;
}

/**
 * What keeps GRUB from the file at an absolute path of a tree; `undefined` when nothing does.
 *
 * GRUB 2.06 keeps only 16 bits of the size of a directory's listing: of a larger one it sees a
 * part, so that a name may be there for Linux and not for GRUB.
 */
export function grubObstacle(root: DirectoryNode, path: string): GrubObstacle | undefined {
  const directories = orderInodes(root);
  const { objects } = placeObjects(directories);
  const { listingLengths } = buildTables(directories, objects, 0);
  const lengths = new Map([...listingLengths].map(([{ path: name }, bytes]) => [name, bytes]));
  let node: TreeNode | undefined = root;
  let at = '';
  for (const name of path.split('/').filter((part) => part !== '')) {
    if (node.kind !== 'directory') return { path: at, reason: `is a ${node.kind}` };
    const bytes = lengths.get(at || '/') ?? 0;
    if (bytes > largestBasicListing) {
      const reason = `its listing has ${bytes} bytes, and GRUB reads at most ${largestBasicListing}`;
      return { path: at || '/', reason };
    }
    at += `/${name}`;
    node = node.entries.get(name);
    if (node === undefined) return { path: at, reason: 'does not exist' };
  }
  return node.kind === 'file' ? undefined : { path: at, reason: `is a ${node.kind}` };
}

/** Whether GRUB's squashfs reader finds the file at an absolute path of a tree. */
export function grubCanReach(root: DirectoryNode, path: string): boolean {
  return grubObstacle(root, path) === undefined;
}
