import { expect, test } from 'vitest';
import { hiddenFromGrub } from '../../../../src/install/hijack/take-over/grub-during-shrink.ts';

const road = { rootPath: '/dev/vda1', blockSize: 4096 };
const staged = '/boot/pine-hijack';

function hostWith(inodes: Record<string, number>, pieces: Record<string, number> = {}) {
  const answers: Record<string, (last: string) => string> = {
    dumpe2fs: () => 'Blocks per group:         32768\nInodes per group:         8192\n',
    find: () =>
      Object.entries(inodes)
        .map(([path, inode]) => `${inode} ${path}\n`)
        .join(''),
    filefrag: (path) =>
      Array.from(
        { length: pieces[path] ?? 1 },
        (_, index) => `   ${index}:  ${index}..  ${index}:  ${index * 9}..  ${index * 9}:  1:\n`,
      ).join(''),
  };
  return {
    report: async (program: string, args: readonly string[]) =>
      answers[program]?.(args.at(-1) ?? ''),
  };
}

test('what keeps its inode, in few pieces, is always read', async () => {
  const host = hostWith({ '/boot': 12, '/boot/grub': 16384, [`${staged}/vmlinuz`]: 300 });
  expect(await hiddenFromGrub(host, road, 256 << 20)).toEqual([]);
});

test('what gets another inode might not be, nor what lies in many pieces', async () => {
  const inodes = { '/boot': 16385, '/boot/grub/grub.cfg': 99999, '/boot/vmlinuz-6.1': 99999 };
  const host = hostWith(inodes, { [`${staged}/vmlinuz`]: 4, [`${staged}/initramfs`]: 5 });
  expect(await hiddenFromGrub(host, road, 300 << 20)).toEqual([
    '/boot',
    '/boot/grub/grub.cfg',
    `${staged}/initramfs`,
  ]);
});
