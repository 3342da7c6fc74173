import { gzipSync } from 'node:zlib';
import { SourceTree } from '../../../src/build/source-tree.ts';

/** The smallest file that says of itself that it is a whole bzImage of some version. */
export function makeKernel(version: string): Buffer {
  const setupSectors = 27;
  const paragraphs = 1000;
  const kernel = Buffer.alloc((setupSectors + 1) * 512 + paragraphs * 16, 0x90);
  kernel.writeUInt8(setupSectors, 0x1f1);
  kernel.writeUInt32LE(paragraphs, 0x1f4);
  kernel.writeUInt16LE(0xaa55, 0x1fe);
  kernel.write('HdrS', 0x202, 'latin1');
  kernel.writeUInt16LE(0x20f, 0x206);
  kernel.writeUInt16LE(0x1000 - 0x200, 0x20e);
  kernel.write(`${version} (builder@host) #1 SMP\0`, 0x1000, 'latin1');
  return kernel;
}

/** A static ELF program without anything in it. */
export function makeElf(): Buffer {
  const elf = Buffer.alloc(64);
  elf.write('\x7fELF\x02\x01\x01', 0, 'latin1');
  return elf;
}

/** A tree that has everything that a bootable one needs, made up. With `merged`, /lib and /sbin are links. */
export function bootableTree({ merged = false } = {}): SourceTree {
  const tree = SourceTree.empty();
  const version = '6.6.14-0-virt';
  if (merged) {
    for (const name of ['lib', 'sbin', 'bin']) {
      tree.putDirectory(`/usr/${name}`, { mode: 0o755 });
      tree.putLink(`/${name}`, `usr/${name}`);
    }
  }
  for (const path of ['/bin/busybox', '/sbin/e2fsck', '/sbin/openrc', '/usr/bin/node']) {
    tree.putFile(path, makeElf(), { mode: 0o755 });
  }
  tree.putLink('/sbin/init', '/bin/busybox');
  tree.putFile('/usr/lib/pine/pinectl.mjs', Buffer.from('pinectl'), { mode: 0o755 });
  tree.putFile('/usr/bin/pinectl', Buffer.from('#!/bin/sh\n'), { mode: 0o755 });
  for (const service of ['pine-boot-complete', 'pine-finalize-staged']) {
    const script = Buffer.from('#!/sbin/openrc-run\n');
    tree.putFile(`/etc/init.d/${service}`, script, { mode: 0o755 });
  }
  tree.putFile(`/boot/vmlinuz-virt`, makeKernel(version), { mode: 0o644 });
  const modules = `/lib/modules/${version}`;
  const files = ['kernel/fs/squashfs/squashfs.ko.gz', 'kernel/drivers/block/virtio_blk.ko.gz'];
  for (const file of files) {
    tree.putFile(`${modules}/${file}`, gzipSync(makeElf()), { mode: 0o644 });
  }
  tree.putFile(`${modules}/modules.dep`, Buffer.from(files.map((file) => `${file}:\n`).join('')), {
    mode: 0o644,
  });
  tree.putFile(`${modules}/modules.builtin`, Buffer.from('kernel/fs/ext4/ext4.ko\n'), {
    mode: 0o644,
  });
  return tree;
}
