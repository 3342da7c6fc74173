import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** What a test may need from outside, and how to see that it is there. */
const checks = {
  ostree: () => runs('ostree', ['--version']),
  squashfs: () => runs('unsquashfs', ['-version']) && runs('mksquashfs', ['-version']),
  grub: () => runs('grub-fstest', ['--version']) && existsSync('/usr/lib/grub/i386-pc/boot.img'),
  qemu: () => runs('qemu-system-x86_64', ['--version']),
  ovmf: () => existsSync('/usr/share/OVMF/OVMF_CODE_4M.fd'),
  disk: () => runs('sfdisk', ['--version']) && runs('mkfs.ext4', ['-V']) && runs('mcopy', ['-V']),
  gdisk: () => runs('sgdisk', ['--version']),
  nginx: () => runs('nginx', ['-v']),
  git: () => runs('git', ['--version']),
  verity: () => runs('veritysetup', ['--version']),
  openssh: () => runs('ssh-keygen', ['-?']),
  lz4: () => runs('lz4', ['--version']),
  promtool: () => runs('promtool', ['--version']),
  gzip: () =>
    spawnSync('gzip', ['--version']).stdout?.includes('Free Software Foundation') === true,
  python: () => spawnSync('python3', ['-c', 'import zlib']).status === 0,
  xz: () => runs('xz', ['--version']),
  kmod: () =>
    runs('modprobe', ['--version']) && runs('depmod', ['--version']) && runs('as', ['--version']),
  strip: () => runs('strip', ['--version']),
  mmdebstrap: () => runs('mmdebstrap', ['--version']),
  root: () => process.getuid?.() === 0,
  alpine: () => existsSync(alpineFolder),
  debian: () => isDebian12() && runs('apt-get', ['--version']),
  xattr: () => runs('getfattr', ['--version']) && runs('setfattr', ['--version']),
} as const;

export type Requirement = keyof typeof checks;

/** Real Alpine packages and `make-root.sh`, where this machine has them. */
export const alpineFolder = new URL('../../../shared/alpine', import.meta.url).pathname;

function isDebian12(): boolean {
  const path = '/etc/os-release';
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return /^ID=debian$/m.test(text) && /^VERSION_ID="12"$/m.test(text);
}

function runs(program: string, args: string[]): boolean {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`;
  return (
    spawnSync(program, args, { stdio: 'ignore', env: { ...process.env, PATH: path } }).error ===
    undefined
  );
}

/**
 * What is missing of `needed`, in words for a skipped test; `undefined` when nothing is.
 * A missing one that PINE_REQUIRE names is an error.
 */
export function missing(...needed: Requirement[]): string | undefined {
  const required = (process.env.PINE_REQUIRE ?? '').split(',');
  const absent = needed.filter((name) => !checks[name]());
  const fatal = absent.filter((name) => required.includes(name));
  if (fatal.length > 0) {
    throw new Error(`PINE_REQUIRE names ${fatal.join(', ')}, but this machine lacks it`);
  }
  if (absent.length === 0) return undefined;
  const reason = `skipped: this machine lacks ${absent.join(', ')}`;
  console.warn(reason);
  return reason;
}
