import { run } from '../../../scripts/root/programs.ts';

const files = [
  '/boot/grub/grub.cfg',
  '/boot/grub/custom.cfg',
  ...['vmlinuz', 'initramfs', 'boot.sha256'].map((name) => `/boot/pine-hijack/${name}`),
];
const script =
  'disk=$1 && shift && for path; do grub-fstest "$disk" cat "(loop0,msdos1)$path" | sha256sum; done';

/** The SHA-256 of all that GRUB starts the installer with, as GRUB's own code reads it from a disk: which knows no journal. */
export async function readByGrub(disk: string): Promise<string> {
  return run('bash', ['-c', script, 'bash', disk, ...files]);
}
