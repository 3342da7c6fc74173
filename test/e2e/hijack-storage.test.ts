import { describe, expect, test } from 'vitest';
import { refusalsOf } from './harness/debian-chroot.ts';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

/** Makes a small ext4 or btrfs that lies on more than a partition, and mounts it on /mnt. */
const storages = [
  [
    'LVM',
    'pvcreate -q /dev/loop0 && vgcreate -q vg /dev/loop0 && lvcreate -q -l 100%FREE -n root vg && mkfs.ext4 -q /dev/vg/root && mount /dev/vg/root /mnt',
    'umount -R /mnt; vgremove -q -f vg',
    'ext4 on lvm /dev/mapper/vg-root on loop /dev/loop0',
  ],
  [
    'RAID',
    'mdadm -q --create /dev/md0 --run --level=1 --raid-devices=2 /dev/loop0 /dev/loop1 && mkfs.ext4 -q /dev/md0 && mount /dev/md0 /mnt',
    'umount -R /mnt; mdadm -q --stop /dev/md0',
    'ext4 on raid1 /dev/md0 on loop /dev/loop0 and raid1 /dev/md0 on loop /dev/loop1',
  ],
  [
    'LUKS',
    'echo secret >/run/key && cryptsetup -q luksFormat --pbkdf pbkdf2 --pbkdf-force-iterations 1000 /dev/loop0 /run/key && cryptsetup open --key-file /run/key /dev/loop0 root && mkfs.ext4 -q /dev/mapper/root && mount /dev/mapper/root /mnt',
    'umount -R /mnt; cryptsetup close root',
    'ext4 on crypt /dev/mapper/root on loop /dev/loop0',
  ],
  [
    'btrfs',
    'mkfs.btrfs -q -f /dev/loop0 && mount /dev/loop0 /mnt',
    'umount -R /mnt',
    'btrfs on loop /dev/loop0',
  ],
] as const;

/** Runs a command as if /mnt were the root of this system. */
const withRootOnMnt = [
  'cd /mnt && mkdir usr etc proc sys dev run boot tmp && ln -s usr/bin usr/sbin usr/lib usr/lib64 .',
  'for name in usr etc proc sys dev run boot; do mount --bind /$name /mnt/$name; done',
].join('; ');

// One Debian whose root is on what pine does not take, by the real programs; and kernels that load no other.
describe.skipIf(unableToTakeOver !== undefined)('a running Debian that is refused', () => {
  test('for what its root lies on, and for what its kernel does not do', async () => {
    await using server = await DebianMachine.start('hijack-storage', {
      ...{ memory: 512 },
      packages: ['btrfs-progs', 'cryptsetup-bin', 'kexec-tools', 'lvm2', 'mdadm'],
    });
    const { machine } = server;
    const refusals = async (options = '', before = '') =>
      refusalsOf(
        await machine.check(
          `${before} pinectl hijack --check --json ${options} 2>/dev/null || true`,
        ),
      );
    await machine.check(
      'for n in 0 1; do truncate -s 128M /var/tmp/$n; losetup /dev/loop$n /var/tmp/$n; done',
    );
    for (const [name, make, remove, found] of storages) {
      await machine.check(`${make} && { ${withRootOnMnt}; }`);
      const [first] = await refusals('', 'chroot /mnt');
      expect.soft(first, name).toBe(`INPUT_ROOT_STORAGE: ${found}`);
      await machine.check(remove);
    }
    expect.soft(await refusals('--kexec')).toEqual([]);
    await machine.check('sysctl kernel.kexec_load_disabled=1');
    const disabled = 'STATE_KEXEC: kernel.kexec_load_disabled = 1';
    expect.soft(await refusals('--kexec')).toEqual([disabled]);
    await machine.check('echo integrity >/sys/kernel/security/lockdown');
    expect.soft(await refusals('--kexec')).toEqual([`${disabled}, lockdown: integrity`]);
    expect.soft(await machine.run(`${server.command} --kexec`)).toMatchObject({ status: 6 });
    await machine.check('! ls -d /boot/pine-hijack /boot/grub/custom.cfg');
  });
});
