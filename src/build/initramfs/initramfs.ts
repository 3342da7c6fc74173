import { basename } from 'node:path/posix';
import { readAsset } from '../../asset.ts';
import { PineError } from '../../error.ts';
import type { SourceTree } from '../source-tree.ts';
import { applets } from './applets.ts';
import { type CpioEntry, encodeCpio } from './cpio.ts';
import { largestModule, unpackModule } from './module-file.ts';
import { hasModule, type ModuleLists, orderModules, parseModuleLists } from './module-lists.ts';
import { collectProgram } from './program.ts';
import { requiredModules, wantedModules } from './wanted-modules.ts';

/** Bytes of the largest modules.dep and modules.builtin that are read (S9). */
const largestList = 8 << 20;

export interface Initramfs {
  /** An uncompressed newc cpio archive. */
  readonly bytes: Buffer;
  /** The modules in it, as files below /lib/modules/VERSION, in the order in which they are loaded. */
  readonly modules: readonly string[];
}

/**
 * Builds pine's initramfs out of a root tree: its busybox, the modules of kernel `version`, and
 * pine's own init. The same tree gives the same bytes. Nothing is written.
 *
 * `extraModules` are loaded besides those that pine knows; one that the kernel lacks is refused.
 * Throws NOT_FOUND_TREE_FILE or an INPUT error for what the tree lacks.
 */
export async function buildInitramfs(
  tree: SourceTree,
  { version, extraModules = [] }: { version: string; extraModules?: readonly string[] },
): Promise<Initramfs> {
  const folder = `/lib/modules/${version}`;
  const lists = await readModuleLists(tree, folder);
  for (const name of [...requiredModules, ...extraModules]) requireModule(lists, name, folder);
  const chains = orderModules(lists, [...wantedModules, ...extraModules], folder);
  const bytes = encodeCpio([
    ...(await collectProgram(tree, '/bin/busybox', 'bin/busybox')),
    ...applets.map(
      (name) => ({ kind: 'symlink', path: `bin/${name}`, target: 'busybox' }) as const,
    ),
    ...(await readModules(tree, folder, chains)),
    // The kernel opens it for init before anything is mounted.
    { kind: 'character-device', path: 'dev/console', permissions: 0o600, major: 5, minor: 1 },
    script('init', readAsset('src/build/initramfs/init.sh')),
    script('deadline', readAsset('src/build/initramfs/deadline.sh')),
  ]);
  return { bytes, modules: chains.flat() };
}

async function readModuleLists(tree: SourceTree, folder: string): Promise<ModuleLists> {
  const dep = await tree.readFile(`${folder}/modules.dep`, largestList);
  const builtIn = await tree.readFile(`${folder}/modules.builtin`, largestList);
  return parseModuleLists(dep.toString('utf8'), builtIn.toString('utf8'), folder);
}

/**
 * Modules by their names, all in one folder, and `modules/order`: a line for each chain of modules
 * that need each other, which init loads up to the first that fails.
 */
async function readModules(
  tree: SourceTree,
  folder: string,
  chains: readonly (readonly string[])[],
): Promise<CpioEntry[]> {
  const entries: CpioEntry[] = [];
  for (const file of chains.flat()) {
    const path = `${folder}/${file}`;
    const content = unpackModule(await tree.readFile(path, largestModule), path);
    entries.push({ kind: 'file', path: `modules/${plainName(file)}`, permissions: 0o644, content });
  }
  const order = chains.map((chain) => `${chain.map(plainName).join(' ')}\n`).join('');
  const content = Buffer.from(order);
  return [...entries, { kind: 'file', path: 'modules/order', permissions: 0o644, content }];
}

/** What a module is called once it is unpacked: `nvme-core.ko`. */
function plainName(file: string): string {
  return basename(file).replace(/\.(gz|zst)$/, '');
}

function requireModule(lists: ModuleLists, name: string, folder: string): void {
  if (hasModule(lists, name.replaceAll('-', '_'))) return;
  throw new PineError('INPUT_MODULE_MISSING', `the kernel has no ${name}`, {
    expected: `${name} as a module, or built in`,
    found: 'neither modules.dep nor modules.builtin names it',
    where: folder,
    remedy: "install the kernel's modules (linux-virt, linux-lts) and run depmod",
  });
}

function script(path: string, text: string): CpioEntry {
  return { kind: 'file', path, permissions: 0o755, content: Buffer.from(text) };
}
