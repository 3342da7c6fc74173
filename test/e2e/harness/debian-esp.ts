import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/root/programs.ts';

/** The EFI system partition of Debian's cloud images: number 15, before the root. */
export const debianEsp = { number: 15, start: 1 << 20, size: 124 << 20 };
/** As Linux writes the number of its file system. */
export const debianEspUuid = '7A1C-0E55';

/** What Debian has instead of grub-pc, Secure Boot's shim included. */
export const uefiPackages = [
  ...['grub-efi-amd64', 'grub-efi-amd64-signed', 'shim-signed', 'efibootmgr', 'dosfstools'],
];

/**
 * Does what Debian's grub-install does with the signed programs, which it would have to run on a machine
 * with UEFI for: shim, GRUB that reads `grub.cfg` beside it, and shim again for firmware without boot entries, which
 * makes one. `root` is where the system's files are.
 */
export async function installSignedGrub(
  disk: string,
  root: string,
  rootUuid: string,
): Promise<void> {
  const modules = join(root, 'boot/grub/x86_64-efi');
  mkdirSync(modules, { recursive: true });
  cpSync(join(root, 'usr/lib/grub/x86_64-efi'), modules, { recursive: true });
  mkdirSync(join(root, 'boot/efi'));
  const tree = mkdtempSync(`${disk}.esp.`);
  const copy = (from: string, ...to: string[]) => {
    for (const path of to) cpSync(join(root, 'usr/lib', from), join(tree, 'EFI', path));
  };
  try {
    mkdirSync(join(tree, 'EFI/debian'), { recursive: true });
    mkdirSync(join(tree, 'EFI/BOOT'));
    copy('shim/shimx64.efi.signed', 'debian/shimx64.efi', 'BOOT/BOOTX64.EFI');
    copy('shim/mmx64.efi.signed', 'debian/mmx64.efi');
    copy('shim/fbx64.efi.signed', 'debian/fbx64.efi', 'BOOT/fbx64.efi');
    copy('shim/BOOTX64.CSV', 'debian/BOOTX64.CSV');
    copy('grub/x86_64-efi-signed/grubx64.efi.signed', 'debian/grubx64.efi');
    writeFileSync(
      join(tree, 'EFI/debian/grub.cfg'),
      `search.fs_uuid ${rootUuid} root hd0,gpt1\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n`,
    );
    await run('mkfs.vfat', [
      ...['-F', '32', '-s', '2', '-i', debianEspUuid.replace('-', '')],
      ...['--offset', String(debianEsp.start / 512), disk, String(debianEsp.size / 1024)],
    ]);
    await run('mcopy', ['-s', '-i', `${disk}@@${debianEsp.start}`, join(tree, 'EFI'), '::/']);
  } finally {
    rmSync(tree, { recursive: true });
  }
}
