import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { differencesFrom } from '../../../src/install/hijack/network/choose-network.ts';
import {
  writeInterfaces,
  writeMacTab,
  writeResolvConf,
} from '../../../src/install/hijack/network/interfaces-file.ts';
import { readKernelTables } from '../../../src/install/hijack/network/kernel-tables.ts';
import type { Network } from '../../../src/install/hijack/network/model.ts';
import { readNetwork } from '../../../src/install/hijack/network/read-network.ts';
import { alpineFolder, missing } from '../../support/requirements.ts';
import { recordedHost } from './support/recorded-host.ts';

/** Where each recorded network is configured, as far as pine finds out. */
const sources: Readonly<Record<string, string>> = {
  'hetzner-cloud': 'ifupdown (/etc/network/interfaces)',
  'hetzner-dedicated': 'ifupdown (/etc/network/interfaces)',
  'point-to-point': 'ifupdown (/etc/network/interfaces)',
  'ovh-failover': 'ifupdown (/etc/network/interfaces)',
  'netplan-on-link': 'netplan',
  'networkd-gateway-on-link': 'systemd-networkd',
  'network-manager': 'NetworkManager',
  'cloud-init-version-1': 'cloud-init',
  'agent-without-files': "the kernel's own tables",
  'stale-file': "the kernel's own tables",
};
const recorded = (name: string, path: string) =>
  readFileSync(new URL(`fixtures/${name}/${path}`, import.meta.url), 'utf8');

describe.each(Object.entries(sources))('the network of %s', (name, source) => {
  test('is read and written for Alpine', async () => {
    const chosen = await readNetwork(recordedHost(name));
    expect(chosen.source).toBe(source);
    expect(chosen.network.leftOut).toEqual([]);
    expect(writeInterfaces(chosen.network)).toBe(recorded(name, 'alpine/interfaces'));
    expect(writeMacTab(chosen.network)).toBe(recorded(name, 'alpine/mactab'));
    expect(writeResolvConf(chosen.network)).toBe(recorded(name, 'alpine/resolv.conf'));
  });
});

test('a file that says something else than what is in force is passed over, and why is said', async () => {
  const { notes } = await readNetwork(recordedHost('stale-file'));
  expect(notes).toEqual([
    'not ifupdown (/etc/network/interfaces): eth0 has 192.0.2.78/24 as well; eth0 does not have 192.0.2.77/24',
  ]);
});

test('an interface that is not there now is left out, and said', async () => {
  const path = '/etc/network/interfaces.d/99-more';
  const host = recordedHost('hetzner-cloud');
  const more = 'auto $(reboot)\niface $(reboot) inet static\n  address 10.0.0.1/8\n';
  const { network } = await readNetwork({
    ...host,
    list: async (folder) => [
      ...(await host.list(folder)),
      ...(path === `${folder}/99-more` ? ['99-more'] : []),
    ],
    readText: async (name, limit) => (name === path ? more : host.readText(name, limit)),
  });
  expect(writeInterfaces(network)).toBe(recorded('hetzner-cloud', 'alpine/interfaces'));
  expect(network.leftOut).toEqual(['$(reboot): no such interface now']);
});

test.each([' ', 'eth0;reboot', '$(reboot)', 'a b', '-s', '..', 'x'.repeat(16)])(
  'a card whose name would be no plain word in a shell is not carried over: %j',
  async (odd) => {
    const table = (command: string) =>
      recorded('stale-file', `commands/${command}`).replace(/"eth0"/g, JSON.stringify(odd));
    const commands = Object.fromEntries(
      ['ip -j -d addr', 'ip -j route', 'ip -j -6 route'].map((command) => [
        command,
        table(command),
      ]),
    );
    const host = recordedHost('stale-file', { commands });
    const { network } = await readNetwork(host);
    expect(network.interfaces.map(({ name, kind }) => [name, kind])).toEqual([
      [odd, 'oddly named'],
    ]);
    expect(writeInterfaces(network)).toBe(writeInterfaces({ ...network, interfaces: [] }));
    expect(writeMacTab(network)).toBe('');
  },
);

test('what a file calls a card and the kernel a bridge is none', async () => {
  const addresses = recorded('hetzner-cloud', 'commands/ip -j -d addr').replace(
    '"ifname": "eth0",',
    '"ifname": "eth0", "linkinfo": { "info_kind": "bridge" },',
  );
  const commands = { 'ip -j -d addr': addresses };
  const chosen = await readNetwork(recordedHost('hetzner-cloud', { commands }));
  expect(chosen.source).toBe(sources['hetzner-cloud']);
  expect(chosen.network.interfaces.map(({ kind }) => kind)).toEqual(['bridge']);
});

const skipped = missing('root', 'alpine');
describe.skipIf(skipped)("Alpine's own ifup, in a network namespace", () => {
  let root = '';
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'pine-ifup-'));
    const packages = join(alpineFolder, 'apks/x86_64');
    const ifupdown = readdirSync(packages).find((file) => /^ifupdown-ng-\d/.test(file)) ?? '';
    const archives = [
      join(alpineFolder, 'alpine-minirootfs-3.20.3-x86_64.tar.gz'),
      join(packages, ifupdown),
    ];
    for (const archive of archives) {
      execFileSync('tar', ['-xzf', archive, '-C', root], { stdio: ['ignore', 'ignore', 'ignore'] });
    }
    mkdirSync(join(root, 'etc/network'), { recursive: true });
    mkdirSync(join(root, 'run'), { recursive: true });
    // A lease would need a server: what is static is what is compared.
    writeFileSync(join(root, 'usr/libexec/ifupdown-ng/dhcp'), '#!/bin/sh\n', { mode: 0o755 });
  });
  afterAll(() => rmSync(root, { recursive: true }));

  test.each(Object.keys(sources))('%s: the kernel has the same tables afterwards', (name) => {
    rmSync(join(root, 'run/ifstate'), { force: true });
    for (const [file, from] of [
      ['network/interfaces', 'interfaces'],
      ['mactab', 'mactab'],
    ] as const) {
      writeFileSync(join(root, 'etc', file), recorded(name, `alpine/${from}`));
    }
    // The cards begin with other names than they had, as they do without udev.
    const cards = recorded(name, 'alpine/mactab').trim().split('\n');
    const script = [
      'set -e',
      'sysctl -qw net.ipv6.conf.default.accept_dad=0',
      ...cards.flatMap((line, index) => [
        `ip link add peer${index} type veth peer name card${index}`,
        `ip link set card${index} address ${line.split(' ')[1]}`,
        `ip link set peer${index} up`,
      ]),
      `mount -t proc proc ${root}/proc`,
      `chroot ${root} /sbin/ifup -a >&2`,
      'echo "[$(ip -j -d addr),"; ip -j route; echo ","; ip -j -6 route; echo "]"',
    ].join('\n');
    const output = execFileSync('unshare', ['-n', '-m', 'sh', '-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    // iproute2 prints nothing at all for an empty table.
    const [addresses, routes4, routes6] = JSON.parse(
      output.replace(/,\s*,/g, ',[],').replace(/,\s*\]\s*$/, ',[]]'),
    ).map((table: unknown) => JSON.stringify(table));
    const tables = readKernelTables({ addresses, routes4, routes6 });
    const up = {
      ...tables,
      interfaces: tables.interfaces.filter((one) => !/^peer/.test(one.name)),
    };
    const before = readKernelTables({
      addresses: recorded(name, 'commands/ip -j -d addr'),
      routes4: recorded(name, 'commands/ip -j route'),
      routes6: recorded(name, 'commands/ip -j -6 route'),
    });
    expect(up.interfaces.map((one) => [one.name, one.mac, one.mtu])).toEqual(
      before.interfaces.map((one) => [one.name, one.mac, one.mtu]),
    );
    const leased = before.interfaces.some(({ dhcp4 }) => dhcp4);
    if (leased) return;
    expect(differencesFrom(before, up)).toEqual([]);
    expect(differencesFrom(up, before)).toEqual([]);
    const beyond = (network: Network) =>
      network.interfaces
        .flatMap(({ routes }) => routes.map(({ to, via }) => `${to} ${via}`))
        .sort();
    expect(beyond(up)).toEqual(beyond(before));
  });
});
