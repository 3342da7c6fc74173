import type { Host } from '../host.ts';
import { findFileExtents } from './file-extents.ts';
import { stagingFolder } from './installer-entry.ts';
import type { Road } from './road.ts';

/** An ext4 inode itself says where so many pieces of its file lie; more are in a block of their own. */
const piecesInInode = 4;
const folders = ['/boot', '/boot/grub', stagingFolder];
const largeFiles = ['vmlinuz', 'initramfs'].map((name) => `${stagingFolder}/${name}`);

/**
 * What GRUB has to read to start the installer, and might not find when the power is cut in the moment in which
 * resize2fs writes inodes and folders: files that get another inode, because theirs is behind the end of the shrunk file
 * system, and files in many pieces. `size` is what it is shrunk to, in bytes.
 */
export async function hiddenFromGrub(
  host: Pick<Host, 'report'>,
  { rootPath, blockSize }: Pick<Road, 'rootPath' | 'blockSize'>,
  size: number,
): Promise<string[]> {
  const header = (await host.report('dumpe2fs', ['-h', rootPath])) ?? '';
  const number = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)$`, 'm').exec(header)?.[1]);
  const groups = Math.floor(size / blockSize / number('Blocks per group'));
  const lastInode = groups * number('Inodes per group');
  const list = (await host.report('find', ['/boot', '-printf', '%i %p\\n'])) ?? '';
  const hidden = [...list.matchAll(/^(\d+) (.*)$/gm)]
    .filter(([, inode, path = '']) => isReadByGrub(path) && Number(inode) > lastInode)
    .map(([, , path = '']) => path);
  for (const path of largeFiles) {
    const { length } = await findFileExtents(host, path, blockSize);
    if (length > piecesInInode) hidden.push(path);
  }
  return [...new Set(hidden)].sort();
}

function isReadByGrub(path: string): boolean {
  return folders.some(
    (folder) => path === folder || (folder !== '/boot' && path.startsWith(`${folder}/`)),
  );
}
