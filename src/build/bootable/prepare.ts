import { pineCfg } from '../../boot/grub/pine-cfg.ts';
import { buildInitramfs } from '../initramfs/initramfs.ts';
import type { SourceTree } from '../source-tree.ts';
import { checkServices, enableServices } from './boot-service.ts';
import { hashList } from './hash-list.ts';
import { findKernel } from './kernel.ts';
import { addMountPoints, checkMountPoints } from './mount-points.ts';
import { findFile, notBootable, requireProgram } from './tree-facts.ts';

export interface BootableOptions {
  /** Which kernel, as a path in the tree, when it has several. */
  readonly kernel?: string;
  /** Modules that the initramfs loads besides those that pine knows. */
  readonly extraModules?: readonly string[];
}

/** What has been put into a tree. */
export interface BootableReport {
  readonly kernelPath: string;
  readonly kernelVersion: string;
  /** Bytes. */
  readonly initramfsSize: number;
  /** Modules in the initramfs, in load order. */
  readonly modules: readonly string[];
}

/**
 * Makes a root tree one that a machine can boot: checks that all it needs is there, then adds
 * kernel, initramfs, GRUB script, their hashes and the folders to mount on (docs/building-a-root.md).
 *
 * Everything is checked before anything is added. Doing it twice changes nothing.
 * Throws INPUT_NOT_BOOTABLE, INPUT_KERNEL, INPUT_MODULE… or NOT_FOUND_TREE_FILE.
 */
export async function prepareBootable(
  tree: SourceTree,
  options: BootableOptions = {},
): Promise<BootableReport> {
  checkPrograms(tree);
  checkServices(tree);
  checkMountPoints(tree);
  const kernel = await findKernel(tree, options.kernel);
  const { version } = kernel;
  checkModules(tree, version);
  const { extraModules } = options;
  const initramfs = await buildInitramfs(tree, {
    version,
    ...(extraModules === undefined ? {} : { extraModules }),
  });
  addMountPoints(tree);
  enableServices(tree);
  // The node of the distribution's file: equal objects are stored once.
  tree.put('/boot/vmlinuz', kernel.file);
  tree.putFile('/boot/initramfs', initramfs.bytes, { mode: 0o644 });
  tree.putFile('/boot/pine.cfg', Buffer.from(pineCfg()), { mode: 0o644 });
  await addHashLists(tree);
  return {
    kernelPath: kernel.path,
    kernelVersion: version,
    initramfsSize: initramfs.bytes.length,
    modules: initramfs.modules,
  };
}

/** What GRUB reads from the slot, each with its hash (docs/architecture.md, "Hashes"). */
export const bootFileNames = ['vmlinuz', 'initramfs', 'pine.cfg'] as const;

async function addHashLists(tree: SourceTree): Promise<void> {
  for (const name of bootFileNames) {
    const node = tree.resolve(`/boot/${name}`)?.node;
    if (node?.kind !== 'file') throw new Error(`/boot/${name} has just been added`);
    tree.putFile(`/boot/${name}.sha256`, await hashList(node.content, name), { mode: 0o644 });
  }
}

function checkModules(tree: SourceTree, version: string): void {
  const folder = `/lib/modules/${version}`;
  if (findFile(tree, `${folder}/modules.dep`) !== undefined) return;
  const others = tree.resolve('/lib/modules')?.node;
  throw notBootable('the modules of this kernel are not there', {
    expected: `${folder}/modules.dep`,
    found: others?.kind === 'directory' ? `modules of ${[...others.entries.keys()]}` : 'no modules',
    where: folder,
    remedy:
      'install the package that kernel and modules come from, or run `depmod -b ROOT VERSION`',
  });
}

function checkPrograms(tree: SourceTree): void {
  const overlay = 'lay the overlay of `npm run build` over the root';
  const needed: readonly (readonly [readonly string[], string, string])[] = [
    [['/bin/busybox'], 'the initramfs needs busybox', '`apk add busybox`'],
    [['/sbin/init'], 'the tree has no init', 'install a base system: `apk add alpine-base`'],
    [
      ['/sbin/e2fsck', '/usr/sbin/e2fsck'],
      'a damaged data partition could not be repaired',
      '`apk add e2fsprogs`',
    ],
    [['/usr/bin/node'], 'pinectl needs Node.js', '`apk add nodejs`'],
    // A machine without it could never confirm an upgrade, nor make one.
    [['/usr/bin/pinectl'], 'the tree has no pinectl', overlay],
  ];
  for (const [paths, why, remedy] of needed) requireProgram(tree, paths, why, remedy);
}
