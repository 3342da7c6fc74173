import { describe, expect, test } from 'vitest';
import { DebianMachine, unableToTakeOver } from './harness/debian-machine.ts';

// What configures the network of a Debian server, other than ifupdown (hijack.test.ts).
describe.skipIf(unableToTakeOver !== undefined)('a Debian server with a static address by', () => {
  test.each(['networkd', 'netplan'] as const)('%s has it as a pine machine', async (network) => {
    await using server = await DebianMachine.start(`hijack-${network}`, { memory: 512, network });
    const { machine } = server;
    const hostKey = await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub');
    const before = await lookAt(server);
    expect(before).toMatchObject({
      addresses: ['10.0.2.15/24', 'fd00:1::15/64'],
      gateways: ['10.0.2.2', 'fd00:1::2'],
    });
    const source = network === 'networkd' ? 'systemd-networkd' : 'netplan';
    expect(await machine.check('pinectl hijack --check || true')).toContain(`by ${source}`);
    await server.stage();
    machine.send('systemctl reboot');
    await machine.waitForConsole(/COMMITMENT/, 600);
    await machine.waitForBoot({ seconds: 600, slot: 'a' });
    expect(await lookAt(server)).toEqual(before);
    expect(await machine.check('cat /etc/resolv.conf')).toBe(
      'search example.test\nnameserver 10.0.2.3\nnameserver fd00:1::3',
    );
    expect(await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub')).toBe(hostKey);
    for (const user of ['root', 'admin']) {
      expect(await server.ssh(user, hostKey, 'id -un; hostname')).toBe(`${user}\ndebian-vps\n`);
    }
    expect(await machine.check('sed -n s/^choice=//p /run/pine/boot')).toBe('trial');
    expect((await server.status()).running).toMatchObject({ slot: 'a' });
  });
});

/** What is in force, as iproute2 and busybox both print it. */
async function lookAt({ machine }: DebianMachine) {
  const text = await machine.check(
    'ip addr show dev eth0; ip -4 route show default; ip -6 route show default',
  );
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found]) => found);
  return {
    card: all(/link\/ether (\S+)/g),
    addresses: all(/inet6? (\S+) .*scope global/g),
    gateways: all(/^default via (\S+) dev eth0/gm),
  };
}
