import type { SourceTree } from '../source-tree.ts';
import { notBootable } from './tree-facts.ts';

/** Folders that the initramfs and OpenRC mount something on, and their permissions. */
const mountPoints: readonly (readonly [string, number])[] = [
  ['/boot', 0o755],
  ['/data', 0o755],
  ['/dev', 0o755],
  ['/home', 0o755],
  ['/opt', 0o755],
  ['/proc', 0o555],
  ['/root', 0o700],
  ['/run', 0o755],
  ['/srv', 0o755],
  ['/sys', 0o555],
  ['/tmp', 0o1777],
  ['/usr/etc', 0o755],
  ['/usr/local', 0o755],
  ['/var', 0o755],
];

/** Adds the folders that a read-only root must have to be mounted on; those that are there stay. */
export function addMountPoints(tree: SourceTree): void {
  for (const [path, mode] of mountPoints) {
    if (tree.find(path) === undefined) tree.putDirectory(path, { mode });
  }
}

/**
 * Refuses a tree that has a file in the place of such a folder. A link that leads nowhere yet stays:
 * it is the user's, and the initramfs mounts nothing there.
 */
export function checkMountPoints(tree: SourceTree): void {
  for (const [path] of mountPoints) {
    if (tree.find(path)?.kind !== 'file') continue;
    throw notBootable(`nothing can be mounted on ${path}`, {
      expected: 'a directory, or nothing',
      found: 'a file',
      where: path,
      remedy: 'remove it',
    });
  }
}
