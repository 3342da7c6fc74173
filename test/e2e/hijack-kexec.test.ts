import { describe, expect, test } from 'vitest';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

const files = '/boot/pine-hijack/vmlinuz --initrd=/boot/pine-hijack/initramfs';

// The installer is entered by kexec, out of a running Debian.
describe.skipIf(unableToTakeOver !== undefined)('a take-over by kexec', () => {
  test('is forgotten by a power cut before the first write, and goes on after it', async () => {
    await using server = await DebianMachine.start('hijack-kexec', {
      ...{ memory: 256, packages: ['kexec-tools'] },
    });
    const hostKey = await server.machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
    await server.stage('--kexec');
    const starts = 'sed -n s/^pine_starts=//p /boot/pine-hijack/env';
    expect(await server.machine.check(starts)).toBe('0');
    expect(await server.machine.run(server.command)).toMatchObject({
      output: expect.stringMatching(/STATE_HIJACK_STAGED.*`systemctl kexec` to start it/s),
    });

    server.machine.send('systemctl kexec');
    await server.machine.waitForConsole(/pine-hijack: \d+ s: the disk is/, 600);
    await server.switchOnAgain();
    await server.machine.waitForBoot({ seconds: 600, slot: '' });
    expect(server.machine.console).not.toContain('pine-hijack');
    expect(await server.machine.check('cat /etc/debian_version')).toMatch(/^12/);
    expect(await server.machine.check('dmesg | grep -c "EXT4-fs error" || true')).toBe('0');
    expect(await server.machine.run(server.command)).toMatchObject({
      output: expect.stringMatching(/STATE_HIJACK_STAGED.*forgotten by a boot/s),
    });
    await server.machine.check(`kexec -a -l ${files} --reuse-cmdline`);
    await server.machine.check('pinectl hijack --cancel && grep 0 /sys/kernel/kexec_loaded');

    await server.stage('--kexec');
    server.machine.send('systemctl kexec');
    await server.machine.waitForConsole(/pine-hijack: \d+ s: writing slot/, 900);
    await server.switchOnAgain();
    await server.machine.waitForBoot({ seconds: 900, slot: 'a' });
    expect(server.machine.console).toContain('going on with a take-over that was cut');
    expect((await server.status()).running).toMatchObject({ slot: 'a' });
    for (const user of ['root', 'admin']) {
      expect(await server.ssh(user, hostKey, 'id -un')).toBe(`${user}\n`);
    }
  }, 3_000_000);
});
