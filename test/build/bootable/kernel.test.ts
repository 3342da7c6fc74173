import { describe, expect, test } from 'vitest';
import { checkKernel, findKernel } from '../../../src/build/bootable/kernel.ts';
import { SourceTree } from '../../../src/build/source-tree.ts';
import { codeOf, codeOfAsync } from '../../support/code-of.ts';
import { makeKernel } from '../support/bootable-root.ts';

function treeWith(...names: string[]): SourceTree {
  const tree = SourceTree.empty();
  for (const name of names) tree.putFile(name, makeKernel('6.6.14-0-virt'), { mode: 0o644 });
  return tree;
}

describe('checkKernel', () => {
  const kernel = makeKernel('6.6.14-0-virt');

  test('a whole kernel gives its version; something behind it (a signature) does no harm', () => {
    expect(checkKernel(kernel, kernel.length, 'vmlinuz')).toBe('6.6.14-0-virt');
    expect(checkKernel(kernel, kernel.length + 4096, 'vmlinuz')).toBe('6.6.14-0-virt');
  });

  test('a kernel cut short anywhere is refused, and the message says how much it should have', () => {
    for (const size of [kernel.length - 1, kernel.length - 16, 5000, 0x250, 100, 0]) {
      const error = codeOf(
        () => checkKernel(kernel.subarray(0, size), size, 'vmlinuz'),
        'INPUT_KERNEL',
      );
      if (size > 0x250) expect(error.details.expected).toContain(`${kernel.length} bytes`);
    }
  });

  test('another kind of file is refused', () => {
    codeOf(() => checkKernel(Buffer.alloc(70_000, 0x41), 70_000, 'vmlinuz'), 'INPUT_KERNEL');
  });
});

describe('findKernel', () => {
  test('the one there is, beside the /boot/vmlinuz that pine made of it', async () => {
    expect((await findKernel(treeWith('/boot/vmlinuz-virt'))).path).toBe('/boot/vmlinuz-virt');
    expect((await findKernel(treeWith('/boot/vmlinuz'))).path).toBe('/boot/vmlinuz');
    const both = treeWith('/boot/vmlinuz', '/boot/vmlinuz-virt', '/boot/vmlinuz.sha256');
    expect((await findKernel(both)).path).toBe('/boot/vmlinuz-virt');
  });

  test('none or several are refused, unless one is named', async () => {
    const two = treeWith('/boot/vmlinuz-virt', '/boot/vmlinuz-lts');
    const error = await codeOfAsync(() => findKernel(two), 'INPUT_NOT_BOOTABLE');
    expect(error.details.found).toBe('vmlinuz-lts, vmlinuz-virt');
    await codeOfAsync(() => findKernel(treeWith('/boot/config')), 'INPUT_NOT_BOOTABLE');
    await codeOfAsync(() => findKernel(treeWith(), '/boot/other'), 'INPUT_NOT_BOOTABLE');
    expect((await findKernel(two, '/boot/vmlinuz-lts')).version).toBe('6.6.14-0-virt');
  });
});
