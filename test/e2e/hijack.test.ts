import { describe, expect, test } from 'vitest';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

// A Debian server becomes a pine machine, with real GRUB, kernel and e2fsprogs.
describe.skipIf(unableToTakeOver !== undefined)('a Debian server that is taken over', () => {
  test('is a pine machine with its address, host key and login, and upgrades', async () => {
    await using server = await DebianMachine.start('hijack', { memory: 512, confirmation: '' });
    const { machine } = server;
    const hostKey = await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
    const secret = await machine.check('sha256sum /etc/shadow');
    await server.stage('--keep-data');
    expect(await machine.run(server.command)).toMatchObject({
      output: expect.stringContaining('STATE_HIJACK_STAGED'),
    });
    machine.send('systemctl reboot');
    await machine.waitForConsole(/COMMITMENT/, 600);
    await machine.waitForBoot({ seconds: 600, slot: 'a' });
    const status = await server.status();
    expect(status.running).toMatchObject({ slot: 'a' });
    expect(await machine.check('sed -n s/^choice=//p /run/pine/boot')).toBe('trial');
    expect(await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub')).toBe(hostKey);
    expect(await machine.check('hostname; ip -o -4 addr show eth0; ip route')).toMatch(
      /^debian-vps\n.* 10\.0\.2\.15\/24 .*default via 10\.0\.2\.2 dev eth0/s,
    );
    for (const user of ['root', 'admin']) {
      expect(await server.ssh(user, hostKey, 'id -un; hostname')).toBe(`${user}\ndebian-vps\n`);
    }
    await server.confirmed();
    const { takeOver, history } = await server.status();
    expect(takeOver).toMatchObject({
      record: { system: expect.stringContaining('Debian'), hostName: 'debian-vps' },
      preparation: [{ name: 'fetch and verify' }, { name: 'build' }],
      runs: [{ end: 'done' }],
      confirmed: { by: expect.stringMatching(/^a login of root/) },
    });
    console.log(await machine.check('pinectl status'));
    expect(history.at(-1)).toMatchObject({
      kind: 'confirmed',
      reason: expect.stringContaining('a login of root'),
    });
    await server.publish('v2');
    await machine.check('pinectl upgrade', 600);
    machine.send('reboot');
    await machine.waitForBoot({ seconds: 600, slot: 'b' });
    expect(await server.ssh('admin', hostKey, 'hostname')).toBe('debian-vps\n');
    await machine.check('pinectl rollback', 300);
    machine.send('reboot');
    await machine.waitForBoot({ seconds: 600, slot: 'a' });

    // Its files can be read, and nothing else; nothing in the journal was touched.
    expect(await server.waitForMount('/data/old-root')).toMatch(
      / ro,nosuid,nodev,noexec,.*(norecovery|noload)/,
    );
    expect(await machine.check('sha256sum /data/old-root/etc/shadow')).toContain(
      secret.slice(0, 64),
    );
    await machine.check('! touch /data/old-root/x 2>/dev/null');

    // Debian again, for as long as it is chosen
    expect(await machine.check('pinectl hijack --undo')).toContain('starts the old system');
    expect((await server.status()).oldSystem).toMatchObject({ state: 'kept', chosen: true });
    machine.send('reboot');
    await machine.waitForBoot({ seconds: 600, slot: '' });
    expect(await machine.check('cat /etc/debian_version; hostname')).toMatch(/^12.*\ndebian-vps$/);
    expect(await machine.check('sha256sum /etc/shadow')).toBe(secret);
    await machine.check('until systemctl is-active ssh >/dev/null; do sleep 1; done');
    for (const user of ['root', 'admin']) {
      expect(await server.ssh(user, hostKey, 'id -un')).toBe(`${user}\n`);
    }
    machine.send('systemctl reboot');
    await machine.waitForBoot({ seconds: 600, slot: '' });
    expect(await machine.check('pinectl hijack --redo')).toContain('starts pine');
    machine.send('systemctl reboot');
    await machine.waitForBoot({ seconds: 600, slot: 'a' });
    expect(await server.ssh('admin', hostKey, 'hostname')).toBe('debian-vps\n');

    // Nothing of Debian is left
    await server.waitForMount('/data/old-root');
    await machine.check('pinectl hijack --wipe', 900);
    expect(await machine.run('pinectl hijack --undo')).toMatchObject({
      output: expect.stringContaining('STATE_WIPED'),
    });
    await machine.check('echo kept >/data/spare/file');
    machine.send('reboot');
    await machine.waitForBoot({ seconds: 600, slot: 'a' });
    await server.waitForMount('/data/spare');
    expect(await machine.check('cat /data/spare/file; ls -A /data/old-root')).toBe('kept');
    expect((await server.status()).oldSystem).toMatchObject({
      ...{ state: 'spare', mountedAt: '/data/spare', chosen: false, problem: null },
    });
  });

  test('with a GPT and 256 MB ends in pine when the power is cut while it is shrunk, written and committed', async () => {
    await using server = await DebianMachine.start('hijack-cuts', { memory: 256, table: 'gpt' });
    await server.stage('--wipe');
    server.machine.send('systemctl reboot');
    for (const moment of ['shrinking the old root', 'writing slot', 'writing committed-sector']) {
      await server.machine.waitForConsole(new RegExp(`pine-hijack: \\d+ s: ${moment}`), 600);
      await server.switchOnAgain();
    }
    await server.machine.waitForBoot({ seconds: 900, slot: 'a' });
    expect(server.machine.console).toContain('going on with a take-over that was cut');
    const { running, takeOver } = await server.status();
    expect(running).toMatchObject({ slot: 'a' });
    // The first start was cut while it shrank, the others at what comes later.
    expect(takeOver?.runs.map(({ end }) => end)).toEqual(['cut', 'cut', 'cut', 'done']);
    const cutIn = takeOver?.runs.map(
      ({ steps }) => steps.findLast(({ seconds }) => seconds === undefined)?.name,
    );
    expect(cutIn).toEqual(['shrink', 'write slot', 'write committed-sector', undefined]);
    console.log(await server.machine.check('pinectl status'));
    // By itself, once it is confirmed
    await server.waitForMount('/data/spare', 600);
    expect((await server.status()).oldSystem).toMatchObject({ state: 'spare', wish: 'wipe' });
    expect((await server.status()).trial).toBeNull();
  });

  test('is Debian as it was when what was prepared is damaged, and when it is canceled', async () => {
    await using server = await DebianMachine.start('hijack-damaged', { memory: 512 });
    const { machine } = server;
    await server.stage();
    const names = 'ls -A /boot /boot/grub; cat /boot/grub/grub.cfg /boot/grub/grubenv';
    const staged = await machine.check(names);
    await machine.check('pinectl hijack --cancel');
    expect(await machine.check(names)).not.toBe(staged);
    await machine.check('! ls -d /boot/pine-hijack /boot/grub/custom.cfg');
    await server.stage();
    await machine.check('printf x | dd of=/boot/pine-hijack/slot bs=1 seek=5000000 conv=notrunc');
    machine.send('systemctl reboot');
    await machine.waitForConsole(/stopped: what was prepared is damaged: slot/, 300);
    await machine.waitForBoot({ seconds: 300 });
    expect(await machine.check('cat /etc/debian_version')).toMatch(/^12/);
    expect(await machine.check('cat /boot/pine-hijack/env')).toContain('pine_starts=0');
    expect(await machine.check('cat /boot/pine-hijack/env')).toContain(
      'pine_reason=what was prepared',
    );
    expect(await machine.check('pinectl hijack --status')).toContain(
      'stopped before the first write, nothing was changed: what was prepared is damaged',
    );
    expect(await machine.check('dmesg | grep -c "EXT4-fs error" || true')).toBe('0');
  });

  test('is Debian again when pine does not pass its health checks', async () => {
    await using server = await DebianMachine.start('hijack-unhealthy', {
      ...{ memory: 512, release: 'unhealthy' },
    });
    const { machine } = server;
    await server.stage();
    machine.send('systemctl reboot');
    await machine.waitForConsole(/starting the system that was here before/, 900);
    await machine.waitForBoot({ seconds: 300, slot: '' });
    expect(await machine.check('cat /etc/debian_version; hostname')).toMatch(/^12.*\ndebian-vps$/);
    expect(await machine.check('lsblk -no PARTLABEL /dev/vda')).toContain('previous');
    const told = await machine.check('pinectl hijack --status');
    expect(told).toMatch(/pine was installed and left again: health 50-web failed: exit 3/);
  });
});
