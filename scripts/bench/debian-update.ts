import { existsSync, globSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compressModules } from '../root/debian-kernel.ts';
import { cacheFolder, run } from '../root/programs.ts';
import { CannotMeasure } from './measurement.ts';

/** Versions of Debian 12: of a point release, and of the security updates after it. */
const updated: readonly (readonly [before: string, after: string, ...packages: string[]])[] = [
  ['3.0.20-1~deb12u2', '3.0.22-1~deb12u2', 'libssl3', 'openssl'],
  ['7.88.1-10+deb12u5', '7.88.1-10+deb12u15', 'libcurl4', 'libcurl3-gnutls', 'curl'],
  [
    ...(['3.11.2-6+deb12u8', '3.11.2-6+deb12u9', 'python3.11', 'python3.11-minimal'] as const),
    ...['libpython3.11', 'libpython3.11-minimal', 'libpython3.11-stdlib'],
  ],
  [
    ...(['5.36.0-7+deb12u3', '5.36.0-7+deb12u4', 'perl', 'perl-base'] as const),
    ...['perl-modules-5.36', 'libperl5.36'],
  ],
  [
    ...(['1:9.2p1-2+deb12u9', '1:9.2p1-2+deb12u10', 'openssh-server'] as const),
    ...['openssh-client', 'openssh-sftp-server'],
  ],
  ['1:9.18.49-1~deb12u1', '1:9.18.49-1~deb12u3', 'bind9', 'bind9-libs'],
  ['1.22.1-9+deb12u9', '1.22.1-9+deb12u11', 'nginx', 'nginx-common'],
  ['2.5.0-1+deb12u2', '2.5.0-1+deb12u5', 'libexpat1'],
  ['2.9.14+dfsg-1.3~deb12u4', '2.9.14+dfsg-1.3~deb12u6', 'libxml2'],
  ['2026b-0+deb12u1', '2026f-0+deb12u1', 'tzdata'],
];
const kernels = ['6.1.0-53-cloud-amd64', '6.1.0-56-cloud-amd64'] as const;
const unchanged = [
  ...[
    'libc6',
    'libc-bin',
    'zlib1g',
    'libgcc-s1',
    'libcrypt1',
    'liblzma5',
    'libzstd1',
    'libbz2-1.0',
  ],
  ...['kmod', 'libkmod2', 'bash', 'dash', 'coreutils', 'util-linux', 'systemd', 'udev', 'libicu72'],
  ...['git', 'sudo', 'e2fsprogs', 'libgnutls30', 'vim', 'vim-runtime', 'libpam0g', 'libsystemd0'],
] as const;

/**
 * Two trees of a Debian server, some 400 MB each, before and after a security update of 24 packages and the
 * kernel. What a server makes itself is there as well: compiled Python modules, and the list of kernel modules.
 * Unpacked once and kept in the cache folder; apt has checked the packages' signature chain. With `samePath` the
 * modules of both kernels lie in one folder, as they do where a build has taken the version out of the path.
 *
 * Throws CannotMeasure where apt does not have the packages, or this is not root.
 */
export async function debianUpdate(samePath: boolean): Promise<{ old: string; new: string }> {
  if (process.getuid?.() !== 0) throw new CannotMeasure('unpacking Debian packages needs root');
  const kept = join(cacheFolder, 'bench', 'debian-update');
  if (!existsSync(kept)) await makeTrees(kept);
  const trees = { old: join(kept, 'old'), new: join(kept, 'new') };
  if (!samePath) return trees;
  const renamed = join(cacheFolder, 'bench', 'debian-update-same-path');
  if (!existsSync(renamed)) await renameKernels(kept, renamed);
  return { old: join(renamed, 'old'), new: join(renamed, 'new') };
}

/** Two trees with nothing but the kernels of these. */
export async function debianKernels(): Promise<{ old: string; new: string }> {
  const plain = await debianUpdate(false);
  const kept = join(cacheFolder, 'bench', 'debian-kernel');
  const trees = { old: join(kept, 'old'), new: join(kept, 'new') };
  if (existsSync(kept)) return trees;
  const work = mkdtempSync(`${kept}.`);
  for (const [index, name] of (['old', 'new'] as const).entries()) {
    const boot = join(work, name, 'boot');
    mkdirSync(boot, { recursive: true });
    const kernel = join(plain[name], 'boot', `vmlinuz-${kernels[index]}`);
    await run('cp', ['-a', '--reflink=auto', kernel, join(boot, 'vmlinuz')]);
  }
  renameSync(work, kept);
  return trees;
}

/** The same trees with kernel modules that are .ko.gz, as Alpine's are. */
export async function packedDebianUpdate(): Promise<{ old: string; new: string }> {
  const plain = await debianUpdate(false);
  const kept = join(cacheFolder, 'bench', 'debian-update-packed');
  const trees = { old: join(kept, 'old'), new: join(kept, 'new') };
  if (existsSync(kept)) return trees;
  const work = mkdtempSync(`${kept}.`);
  for (const [index, name] of (['old', 'new'] as const).entries()) {
    await run('cp', ['-a', '--reflink=auto', plain[name], join(work, name)]);
    compressModules(join(work, name, 'lib/modules', kernels[index] ?? ''));
  }
  renameSync(work, kept);
  return trees;
}

async function makeTrees(kept: string): Promise<void> {
  mkdirSync(dirname(kept), { recursive: true });
  const work = mkdtempSync(`${kept}.`);
  try {
    for (const [index, name] of (['old', 'new'] as const).entries()) {
      await makeTree(work, name, [
        ...updated.flatMap(([before, after, ...packages]) =>
          packages.map((each) => `${each}=${index === 0 ? before : after}`),
        ),
        `linux-image-${kernels[index]}`,
        ...unchanged,
      ]);
    }
    renameSync(work, kept);
  } catch (error) {
    throw new CannotMeasure(`apt did not give the packages of Debian 12: ${String(error)}`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function makeTree(work: string, name: string, packages: readonly string[]): Promise<void> {
  const [archives, tree] = [join(work, `${name}.packages`), join(work, name)];
  mkdirSync(archives);
  await run('apt-get', ['download', '-q', ...packages], archives);
  for (const archive of globSync('*.deb', { cwd: archives }).sort()) {
    await run('dpkg-deb', ['-x', archive, tree], archives);
  }
  rmSync(archives, { recursive: true });
  const [kernel] = globSync('*', { cwd: join(tree, 'lib/modules') });
  await run('chroot', [tree, '/sbin/depmod', kernel ?? '']);
  const compile = ['-m', 'compileall', '-q', '-j1', '/usr/lib/python3.11'];
  await run('chroot', [tree, '/usr/bin/python3.11', ...compile]);
}

async function renameKernels(from: string, kept: string): Promise<void> {
  const work = mkdtempSync(`${kept}.`);
  for (const [index, name] of (['old', 'new'] as const).entries()) {
    const tree = join(work, name);
    await run('cp', ['-a', '--reflink=auto', join(from, name), tree]);
    const kernel = kernels[index] ?? '';
    for (const path of ['lib/modules/', 'boot/vmlinuz-', 'boot/System.map-', 'boot/config-']) {
      renameSync(join(tree, `${path}${kernel}`), join(tree, `${path}cloud`));
    }
  }
  renameSync(work, kept);
}
