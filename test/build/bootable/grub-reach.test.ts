import { expect, test } from 'vitest';
import { checkGrubReach } from '../../../src/build/bootable/grub-reach.ts';
import type { DirectoryNode, TreeNode } from '../../../src/repo/tree.ts';
import { codeOf } from '../../support/code-of.ts';

const owner = { uid: 0, gid: 0, xattrs: [] };
const file = {
  kind: 'file',
  mode: 0o100644,
  size: 0,
  checksum: '0'.repeat(64),
  ...owner,
} as const;

function directory(entries: Iterable<[string, TreeNode]>): DirectoryNode {
  return { kind: 'directory', mode: 0o40755, entries: new Map(entries), ...owner };
}

/** A root whose /boot holds the kernel and `count` other files. */
function rootWith(count: number): DirectoryNode {
  const others = Array.from({ length: count }, (_, index) => `${'n'.repeat(60)}${index}`);
  const boot = directory([...others, 'vmlinuz'].map((name) => [name, file]));
  return directory([['boot', boot]]);
}

test("a /boot with more names than GRUB's reader sees is refused", () => {
  checkGrubReach(rootWith(900));
  const error = codeOf(() => checkGrubReach(rootWith(1000)), 'INPUT_NOT_BOOTABLE');
  expect(error.details.where).toBe('/boot');
});

test('a kernel that is not a file of the image itself is refused', () => {
  const link = { kind: 'symlink', mode: 0o120777, target: 'x', checksum: '0'.repeat(64) } as const;
  const boot = directory([['vmlinuz', { ...link, ...owner }]]);
  codeOf(() => checkGrubReach(directory([['boot', boot]])), 'INPUT_NOT_BOOTABLE');
  codeOf(() => checkGrubReach(directory([['boot', file]])), 'INPUT_NOT_BOOTABLE');
});
