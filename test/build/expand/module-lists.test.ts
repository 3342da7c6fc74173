import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { prepareBootable } from '../../../src/build/bootable/prepare.ts';
import { expandCompressed } from '../../../src/build/expand/expand-compressed.ts';
import { encodeModuleIndex } from '../../../src/build/expand/module-index.ts';
import { temporaryFolder } from '../../repo/support/temporary-folder.ts';
import { codeOfAsync } from '../../support/code-of.ts';
import { bootableTree } from '../support/bootable-root.ts';
import { contentsOf, treeWith } from './tree.ts';

const folder = temporaryFolder();
const modules = '/lib/modules/6.1';
const packed = {
  [`${modules}/kernel/a.ko.gz`]: gzipSync('module a'),
  [`${modules}/kernel/b.ko.gz`]: gzipSync('module b'),
  [`${modules}/updates/c.ko`]: 'module c',
  [`${modules}/kernel/cut.ko.gz`]: gzipSync('module').subarray(0, -4),
};
const dep = `kernel/b.ko.gz: kernel/a.ko.gz updates/c.ko\nkernel/a.ko.gz:\n${modules}/kernel/b.ko.gz: kernel/gone.ko.gz\nkernel/cut.ko.gz: kernel/a.ko.gz\n`;
const plainDep = `kernel/b.ko: kernel/a.ko updates/c.ko\nkernel/a.ko:\n${modules}/kernel/b.ko: kernel/gone.ko.gz\nkernel/cut.ko.gz: kernel/a.ko\n`;

async function expand(tree: ReturnType<typeof treeWith>) {
  const { close } = await expandCompressed(tree, folder);
  const contents = await contentsOf(tree);
  close();
  return contents;
}

describe('the lists of modules', () => {
  test('name what was expanded, and only that, by its new name', async () => {
    const contents = await expand(
      treeWith({
        ...packed,
        [`${modules}/modules.dep`]: dep,
        [`${modules}/modules.order`]: 'kernel/a.ko.gz\nkernel/cut.ko.gz\n',
        [`${modules}/modules.dep.bin`]: 'an index of names that are gone',
        [`${modules}/modules.alias`]: 'alias kernel/a.ko.gz a\n',
        '/lib/modules/6.2/modules.dep': dep,
      }),
    );
    const lines = plainDep.split('\n').filter((line) => line !== '');
    const index = encodeModuleIndex(
      ['b', 'a', 'b', 'cut'].map((name, place) => [name, lines[place] ?? '']),
    );
    expect(contents).toMatchObject({
      [`${modules}/modules.dep`]: plainDep,
      [`${modules}/modules.order`]: 'kernel/a.ko\nkernel/cut.ko.gz\n',
      [`${modules}/modules.dep.bin`]: index.toString('latin1'),
      [`${modules}/modules.alias`]: 'alias kernel/a.ko.gz a\n',
      '/lib/modules/6.2/modules.dep': dep,
    });
  });

  test('are found below /usr/lib too, and none is made that was not there', async () => {
    const tree = treeWith({
      '/lib': '-> usr/lib',
      '/usr/lib/modules/6.1/kernel/a.ko.gz': gzipSync('module a'),
      '/usr/lib/modules/6.1/modules.dep': '/lib/modules/6.1/kernel/a.ko.gz:\n',
    });
    expect(await expand(tree)).toEqual({
      '/lib': '-> usr/lib',
      '/usr/lib/modules/6.1/kernel/a.ko': 'module a',
      '/usr/lib/modules/6.1/modules.dep': '/lib/modules/6.1/kernel/a.ko:\n',
    });
  });

  test('that are no lists are an error where an index would have to be made of them', async () => {
    for (const line of [
      'kernel/a.ko.gz',
      '.ko.gz: kernel/a.ko.gz',
      'kernel/ä.ko: kernel/a.ko.gz',
    ]) {
      const tree = treeWith({
        ...packed,
        [`${modules}/modules.dep`]: `${line}\n`,
        [`${modules}/modules.dep.bin`]: 'an index',
      });
      await codeOfAsync(() => expandCompressed(tree, folder), 'INPUT_MODULES_DEP');
    }
  });

  test('give the same initramfs as packed modules do', async () => {
    const initramfs = async (isExpanded: boolean) => {
      const tree = bootableTree({ merged: isExpanded });
      const opened = isExpanded ? await expandCompressed(tree, folder) : undefined;
      await prepareBootable(tree);
      const bytes = await tree.readFile('/boot/initramfs', 1 << 24);
      opened?.close();
      return bytes.toString('hex');
    };
    expect(await initramfs(true)).toBe(await initramfs(false));
  });
});
