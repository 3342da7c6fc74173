import { rmSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { missing } from '../support/requirements.ts';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

const unable = unableToTakeOver ?? missing('ovmf');

// A Debian server with UEFI becomes a pine machine, with real GRUB, shim, kernel and e2fsprogs.
describe.skipIf(unable !== undefined)(
  'a Debian server with UEFI that is taken over',
  {
    timeout: 3_000_000,
  },
  () => {
    test('by the boot entry of shim is a pine machine with its address, host key and login, and upgrades', async () => {
      await using server = await DebianMachine.start('uefi', { memory: 512, firmware: 'uefi' });
      const { machine } = server;
      // shim found no boot entry, and made one: from now on the firmware starts it by that.
      expect(await machine.check('efibootmgr -v')).toMatch(
        /BootOrder: (\d{4}),[\s\S]*Boot\1\* debian/,
      );
      const hostKey = await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
      await server.stage();
      machine.send('systemctl reboot');
      await machine.waitForConsole(/COMMITMENT/, 900);
      await machine.waitForBoot({ seconds: 900, slot: 'a' });
      expect((await server.status()).running).toMatchObject({ slot: 'a' });
      await machine.check('test -d /sys/firmware/efi');
      expect(await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub')).toBe(hostKey);
      expect(await machine.check('hostname; ip -o -4 addr show eth0; ip route')).toMatch(
        /^debian-vps\n.* 10\.0\.2\.15\/24 .*default via 10\.0\.2\.2 dev eth0/s,
      );
      for (const user of ['root', 'admin']) {
        expect(await server.ssh(user, hostKey, 'id -un; hostname')).toBe(`${user}\ndebian-vps\n`);
      }
      await server.publish('v2');
      await machine.check('pinectl upgrade', 600);
      machine.send('reboot');
      await machine.waitForBoot({ seconds: 600, slot: 'b' });
      await machine.check('pinectl rollback', 300);
      // Firmware that has forgotten its boot entries
      rmSync(`${machine.options.disk}.vars`);
      await server.switchOnAgain();
      await server.machine.waitForBoot({ seconds: 600, slot: 'a' });
      expect(await server.ssh('admin', hostKey, 'hostname')).toBe('debian-vps\n');
    });

    test('without shim ends in pine when the power is cut before and behind the commitment', async () => {
      await using server = await DebianMachine.start('uefi-cuts', {
        memory: 512,
        firmware: 'uefi',
      });
      // As grub-cloud-amd64 has it: the firmware starts GRUB itself, which knows its root.
      const install =
        'grub-install --target=x86_64-efi --no-uefi-secure-boot --force-extra-removable';
      await server.machine.check(
        `rm -r /boot/efi/EFI/*; ${install} --no-nvram; ! test -e /boot/efi/EFI/debian/shimx64.efi`,
        300,
      );
      await server.stage();
      server.machine.send('systemctl reboot');
      for (const moment of ['shrinking the old root', 'writing loader-sector', 'writing entries']) {
        await server.machine.waitForConsole(new RegExp(`pine-hijack: \\d+ s: ${moment}`), 900);
        await server.switchOnAgain();
      }
      await server.machine.waitForBoot({ seconds: 900, slot: 'a' });
      expect((await server.status()).running).toMatchObject({ slot: 'a' });
    });

    test('is Debian again when it is canceled, when its EFI system partition changes, and when pine does not pass its health checks', async () => {
      await using server = await DebianMachine.start('uefi-unhealthy', {
        ...{ memory: 512, firmware: 'uefi', release: 'unhealthy' },
      });
      const { machine } = server;
      const names = 'cd /boot/efi && find . | sort; sha256sum EFI/*/*';
      const before = await machine.check(names);
      await server.stage();
      expect(await machine.check(names)).toContain('EFI/PINE-1/shimx64.efi');
      await machine.check('pinectl hijack --cancel');
      expect(await machine.check(names)).toBe(before);
      await server.stage();
      await machine.check(
        'printf x | dd of=/boot/efi/EFI/PINE-1/grubx64.efi bs=1 seek=100000 conv=notrunc; sync',
      );
      machine.send('systemctl reboot');
      await machine.waitForConsole(/stopped: what was put on the EFI system partition/, 900);
      await machine.waitForBoot({ seconds: 600 });
      expect(await machine.check('cat /boot/pine-hijack/env')).toContain('pine_starts=0');
      await machine.check('pinectl hijack --cancel');
      await server.stage();
      machine.send('systemctl reboot');
      await machine.waitForConsole(/starting the system that was here before/, 1200);
      await machine.waitForBoot({ seconds: 600, slot: '' });
      expect(await machine.check('cat /etc/debian_version; hostname')).toMatch(
        /^12.*\ndebian-vps$/,
      );
      expect(await machine.check('lsblk -no PARTLABEL /dev/vda')).toMatch(/previous[\s\S]*esp/);
      expect(await machine.check('ls /boot/efi/EFI')).toBe('BOOT\nOLD-1\nOLD-2\ndebian');
    });
  },
);
