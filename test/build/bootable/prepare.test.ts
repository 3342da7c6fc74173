import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { prepareBootable } from '../../../src/build/bootable/prepare.ts';
import { walkSource } from '../../../src/build/source-node.ts';
import type { SourceTree } from '../../../src/build/source-tree.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { bootableTree } from '../support/bootable-root.ts';

/** Everything that a commit of the tree would depend on, a line for each node. */
async function describeTree(tree: SourceTree): Promise<string[]> {
  const lines: string[] = [];
  for (const [path, node] of walkSource(tree.root)) {
    const content = node.kind === 'file' ? sha256(await tree.readFile(path, 1 << 24)) : '';
    const target = node.kind === 'symlink' ? node.target : '';
    lines.push(`${path} ${node.mode.toString(8)} ${node.uid} ${node.gid} ${content}${target}`);
  }
  return lines.sort();
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('prepareBootable', () => {
  test('adds kernel, initramfs, GRUB script, one-line hash lists, mount points and the service', async () => {
    const tree = bootableTree();
    const report = await prepareBootable(tree);
    expect(report).toMatchObject({
      kernelPath: '/boot/vmlinuz-virt',
      kernelVersion: '6.6.14-0-virt',
    });
    expect(tree.find('/boot/vmlinuz')).toBe(tree.find('/boot/vmlinuz-virt'));
    for (const name of ['vmlinuz', 'initramfs', 'pine.cfg']) {
      const content = await tree.readFile(`/boot/${name}`, 1 << 24);
      const list = await tree.readFile(`/boot/${name}.sha256`, 1 << 10);
      expect(list.toString()).toBe(`${sha256(content)}  ${name}\n`);
    }
    for (const path of ['/data', '/usr/etc', '/proc', '/tmp', '/usr/local', '/var', '/srv']) {
      expect(tree.find(path)).toMatchObject({ kind: 'directory', uid: 0, gid: 0 });
    }
    expect(tree.find('/tmp')?.mode).toBe(0o41777);
    expect(tree.find('/etc/runlevels/default/pine-boot-complete')).toMatchObject({
      target: '/etc/init.d/pine-boot-complete',
    });
  });

  test('the same tree gives the same bytes, and doing it twice changes nothing', async () => {
    const [one, two] = [bootableTree(), bootableTree()];
    await prepareBootable(one);
    await prepareBootable(two);
    const once = await describeTree(one);
    expect(await describeTree(two)).toEqual(once);
    await prepareBootable(one);
    expect(await describeTree(one)).toEqual(once);
  });

  test('a root whose /lib, /bin and /sbin are links into /usr is as good', async () => {
    const tree = bootableTree({ merged: true });
    const { modules } = await prepareBootable(tree);
    expect(modules).toContain('kernel/fs/squashfs/squashfs.ko.gz');
    expect(tree.find('/lib')).toMatchObject({ kind: 'symlink' });
  });

  test.each([
    ['/sbin/init', 'alpine-base'],
    ['/bin/busybox', 'busybox'],
    ['/sbin/e2fsck', 'e2fsprogs'],
    ['/usr/bin/node', 'nodejs'],
    ['/usr/bin/pinectl', 'overlay'],
    ['/etc/init.d/pine-boot-complete', 'overlay'],
    ['/etc/init.d/pine-finalize-staged', 'overlay'],
    ['/boot/vmlinuz-virt', 'linux-virt'],
  ])('without %s it is refused, before anything is added, and told: %s', async (path, remedy) => {
    const tree = bootableTree();
    tree.remove(path);
    const before = await describeTree(tree);
    const error = await codeOfAsync(() => prepareBootable(tree), 'INPUT_NOT_BOOTABLE');
    expect(error.details.remedy).toContain(remedy);
    expect(await describeTree(tree)).toEqual(before);
  });

  test('modules of another kernel, or without squashfs, are refused', async () => {
    const other = bootableTree();
    other.remove('/lib/modules/6.6.14-0-virt');
    await codeOfAsync(() => prepareBootable(other), 'INPUT_NOT_BOOTABLE');
    const without = bootableTree();
    without.putFile('/lib/modules/6.6.14-0-virt/modules.dep', Buffer.from(''), { mode: 0o644 });
    const error = await codeOfAsync(() => prepareBootable(without), 'INPUT_MODULE_MISSING');
    expect(error.message).toContain('squashfs');
    const extra = { extraModules: ['mmc_block'] };
    await codeOfAsync(() => prepareBootable(bootableTree(), extra), 'INPUT_MODULE_MISSING');
  });

  test('a file where something is to be mounted is refused; a link of the user stays', async () => {
    const tree = bootableTree();
    tree.putLink('/home', '/var/home');
    tree.putFile('/data', Buffer.from(''), { mode: 0o644 });
    await codeOfAsync(() => prepareBootable(tree), 'INPUT_NOT_BOOTABLE');
    tree.remove('/data');
    await prepareBootable(tree);
    expect(tree.find('/home')).toMatchObject({ kind: 'symlink', target: '/var/home' });
  });
});
