import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cacheFolder, run } from './programs.ts';

/**
 * Debian's kernels. `cloud` is small; `standard` has the drivers of real hardware and of the
 * i6300esb watchdog.
 */
export type DebianKernel = 'cloud' | 'standard';

const metaPackages = { cloud: 'linux-image-cloud-amd64', standard: 'linux-image-amd64' } as const;

/** What a server in a virtual machine can need, with what those modules depend on. */
const serverModules =
  /^kernel\/(crypto|lib|block|mm)\/|^kernel\/drivers\/(virtio|block|nvme|ata|scsi|md|watchdog|char\/hw_random|net\/[^/]+\.ko|net\/ethernet\/intel\/e1000)|^kernel\/fs\/(squashfs|ext4|jbd2|fat|nls|overlayfs|isofs|[^/]+\.ko)|^kernel\/net\/(core|ipv6|packet|unix|8021q|netfilter|ipv4\/netfilter)\//;
/** Controllers that are large and that no virtual machine shows. */
const hardwareOnly =
  /drivers\/(scsi\/[^/]+\/|block\/(drbd|rnbd|aoe)|md\/(bcache|raid)|watchdog\/(?!i6300|iTCO|softdog|watchdog))/;

/** Puts a kernel and its modules into a root, as a distribution's package would. Returns its version. */
export async function installDebianKernel(
  root: string,
  kernel: DebianKernel,
  options: { compressModules?: boolean } = {},
): Promise<string> {
  const unpacked = await unpackedKernel(kernel);
  const [version] = readdirSync(join(unpacked, 'lib/modules'));
  if (version === undefined) throw new Error(`no modules in ${unpacked}`);
  mkdirSync(join(root, 'boot'), { recursive: true });
  cpSync(join(unpacked, 'boot', `vmlinuz-${version}`), join(root, 'boot', `vmlinuz-${version}`));
  copyModules(unpacked, root, version);
  await run('depmod', ['-b', root, version]);
  if (options.compressModules) compressModules(join(root, 'lib/modules', version));
  return version;
}

/** Downloads and unpacks Debian's package once; apt has checked its signature chain. */
async function unpackedKernel(kernel: DebianKernel): Promise<string> {
  const dependencies = await run('apt-cache', ['depends', metaPackages[kernel]]);
  const name = /Depends: (linux-image-\S+)/.exec(dependencies)?.[1];
  if (name === undefined) throw new Error(`apt-cache knows no kernel for ${metaPackages[kernel]}`);
  const kept = join(cacheFolder, 'kernel', name);
  if (existsSync(kept)) return kept;
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    await run('apt-get', ['download', '-q', name], work);
    const [archive] = globSync('*.deb', { cwd: work });
    if (archive === undefined) throw new Error(`apt-get download gave no file for ${name}`);
    await run('dpkg-deb', ['-x', archive, 'unpacked'], work);
    const version = name.slice('linux-image-'.length);
    await run('depmod', ['-b', 'unpacked', version], work);
    renameSync(join(work, 'unpacked'), kept);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return kept;
}

/** Copies the modules that a server needs, and all that they depend on. */
function copyModules(from: string, to: string, version: string): void {
  const folder = join('lib/modules', version);
  const dependencies = new Map<string, string[]>();
  for (const line of readFileSync(join(from, folder, 'modules.dep'), 'utf8').split('\n')) {
    const [name, rest] = line.split(':');
    if (name) dependencies.set(name, (rest ?? '').split(' ').filter(Boolean));
  }
  const wanted = new Set<string>();
  const want = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const other of dependencies.get(name) ?? []) want(other);
  };
  for (const name of dependencies.keys()) {
    if (serverModules.test(name) && !hardwareOnly.test(name)) want(name);
  }
  const lists = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'];
  for (const name of [...wanted, ...lists]) {
    mkdirSync(dirname(join(to, folder, name)), { recursive: true });
    cpSync(join(from, folder, name), join(to, folder, name));
  }
}

/**
 * Makes every module a .ko.gz, as Alpine's are, with the program that the build of Linux asks for it. Debian's depmod
 * can't read those, so the lists are rewritten.
 */
export function compressModules(folder: string): void {
  const modules = globSync('**/*.ko', { cwd: folder });
  execFileSync('gzip', ['-n', '-f', '--', ...modules], { cwd: folder });
  for (const name of ['modules.dep', 'modules.order']) {
    const path = join(folder, name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/\.ko\b/g, '.ko.gz'));
  }
  // The binary lists still have the old names. busybox reads the text; kmod finds nothing then.
  for (const name of readdirSync(folder)) {
    if (basename(name).endsWith('.bin')) rmSync(join(folder, name));
  }
}
