import { describe, expect, test } from 'vitest';
import {
  hasModule,
  moduleName,
  orderModules,
  parseModuleLists,
} from '../../../src/build/initramfs/module-lists.ts';
import { codeOf } from '../../support/code-of.ts';

const dep = `kernel/fs/ext4/ext4.ko.gz: kernel/lib/crc16.ko.gz kernel/fs/mbcache.ko.gz kernel/fs/jbd2/jbd2.ko.gz
kernel/fs/mbcache.ko.gz:
kernel/lib/crc16.ko.gz:
kernel/fs/jbd2/jbd2.ko.gz: kernel/lib/crc16.ko.gz
kernel/fs/squashfs/squashfs.ko.gz:
kernel/drivers/nvme/host/nvme.ko.gz: kernel/drivers/nvme/host/nvme-core.ko.gz
kernel/drivers/nvme/host/nvme-core.ko.gz:
`;
const lists = parseModuleLists(dep, 'kernel/drivers/block/virtio_blk.ko\n', '/lib/modules/6');

describe('orderModules', () => {
  test('each module comes after what it needs, once, and chains start anew for each wanted one', () => {
    expect(orderModules(lists, ['squashfs', 'ext4', 'nvme', 'jbd2'], 'here')).toEqual([
      ['kernel/fs/squashfs/squashfs.ko.gz'],
      [
        'kernel/lib/crc16.ko.gz',
        'kernel/fs/mbcache.ko.gz',
        'kernel/fs/jbd2/jbd2.ko.gz',
        'kernel/fs/ext4/ext4.ko.gz',
      ],
      ['kernel/drivers/nvme/host/nvme-core.ko.gz', 'kernel/drivers/nvme/host/nvme.ko.gz'],
    ]);
  });

  test('what is built in or not there is left out; - and _ are the same', () => {
    expect(orderModules(lists, ['virtio_blk', 'ahci'], 'here')).toEqual([]);
    expect(orderModules(lists, ['nvme-core'], 'here')).toHaveLength(1);
    expect(hasModule(lists, 'virtio_blk')).toBe(true);
    expect(hasModule(lists, 'ahci')).toBe(false);
  });

  test('a needed module that is not listed, a circle and garbage are refused', () => {
    const broken = parseModuleLists('a.ko: b.ko\n', '', 'here');
    codeOf(() => orderModules(broken, ['a'], 'here'), 'INPUT_MODULES_DEP');
    const circle = parseModuleLists('a.ko: b.ko\nb.ko: a.ko\n', '', 'here');
    codeOf(() => orderModules(circle, ['a'], 'here'), 'INPUT_MODULES_DEP');
    codeOf(() => parseModuleLists('\u0000\u0001 garbage', '', 'here'), 'INPUT_MODULES_DEP');
  });
});

test('moduleName takes folders and compressions off', () => {
  expect(moduleName('kernel/drivers/nvme/host/nvme-core.ko.gz')).toBe('nvme_core');
  expect(moduleName('ext4.ko')).toBe('ext4');
  expect(moduleName('ext4.ko.zst')).toBe('ext4');
});
