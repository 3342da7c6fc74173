import { describe, expect, test } from 'vitest';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

/** Seconds that each try of the trial has, under emulation: a boot and its health checks, and some. */
const loginWithin = 240;

// What decides whether pine stays: not that it runs, but that somebody got in.
describe.skipIf(unableToTakeOver !== undefined)('a Debian server that was taken over', () => {
  test('is pine for good once somebody has logged in, however shortly', async () => {
    await using server = await DebianMachine.start('hijack-login', {
      ...{ memory: 256, confirmation: '' },
    });
    const { machine } = server;
    const hostKey = await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
    await server.stage();
    machine.send('systemctl reboot');
    await machine.waitForBoot({ seconds: 900, slot: 'a' });
    await machine.check('until [ -e /run/pine/waiting ]; do sleep 1; done', 180);
    // A connection, and a login that fails, change nothing.
    await expect(server.ssh('nobody', hostKey, 'true')).rejects.toThrow(/Permission denied/);
    await machine.check('sleep 5; [ ! -e /run/pine/confirmed ]');
    const { trial } = await server.status();
    expect(trial).toMatchObject({ state: 'running', waiting: { until: expect.any(Number) } });
    expect(await machine.check('pinectl status')).toMatch(/waiting for a login over SSH until 20/);
    const used = "ps -o rss,args | awk '/first-login|syslogd/ && !/awk/ { print }'";
    console.log(`e2e: what waits, with its memory:\n${await machine.check(used)}`);
    await server.ssh('admin', hostKey, 'true');
    await server.confirmed();
    const { takeOver } = await server.status();
    // Of a session that is seen before its line in the log only the name is known.
    expect(takeOver?.confirmed?.by).toMatch(/^a login of admin( by publickey from 10\.0\.2\.2)?$/);
    expect(await machine.check('ls /etc/pine /etc/runlevels/default')).not.toMatch(
      /hijack$|first-login/m,
    );
    await machine.check('! pgrep -f first-login && ! pgrep syslogd');
  });

  test('is Debian again when nobody logs in', async () => {
    await using server = await DebianMachine.start('hijack-nobody', {
      ...{ memory: 512, confirmation: `--login-within ${loginWithin}s` },
    });
    const { machine } = server;
    await server.stage();
    machine.send('systemctl reboot');
    await machine.waitForConsole(/starting the system that was here before/, 1800);
    await machine.waitForBoot({ seconds: 300, slot: '' });
    expect(machine.console.match(/waiting for a login over SSH/g)).toHaveLength(2);
    const told = await machine.check('pinectl hijack --status');
    console.log(told);
    expect(told).toMatch(
      /left again: it was not confirmed before its deadline \(its health checks passed, and nobody logged in\)/,
    );
    expect(await machine.check('cat /etc/debian_version')).toMatch(/^12/);
  });

  test('is Debian again when the network of pine does not come up', async () => {
    await using server = await DebianMachine.start('hijack-no-network', {
      ...{ memory: 512, confirmation: '', release: 'no-network' },
    });
    const { machine } = server;
    await server.stage();
    machine.send('systemctl reboot');
    await machine.waitForConsole(/starting the system that was here before/, 1800);
    await machine.waitForBoot({ seconds: 300, slot: '' });
    expect(await machine.check('pinectl hijack --status')).toMatch(
      /left again: health default-route failed/,
    );
    const address = await machine.check('ip -o -4 addr show eth0; ip route');
    expect(address).toMatch(/10\.0\.2\.15\/24.*default via 10\.0\.2\.2/s);
  });
});
