import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../../../scripts/root/programs.ts';

/** What configures the network of a Debian server. */
export type DebianNetwork = 'ifupdown' | 'networkd' | 'netplan';

/**
 * The network that QEMU's user network is told to have for IPv6 (`MachineOptions.ipv6`): its own is
 * `fec0::`, which the kernel does not call global. The host is `::2` in it, the name server `::3`.
 */
export const ipv6Network = 'fd00:1::/64';

/** What each needs beside the packages of every server. */
export const networkPackages: Readonly<Record<DebianNetwork, readonly string[]>> = {
  ifupdown: ['ifupdown'],
  networkd: ['systemd-resolved'],
  netplan: ['netplan.io', 'systemd-resolved'],
};

const interfaces = `auto lo
iface lo inet loopback

auto eth0
iface eth0 inet static
	address 10.0.2.15/24
	gateway 10.0.2.2
`;

const network = `[Match]
Name=eth0

[Network]
Address=10.0.2.15/24
Address=fd00:1::15/64
Gateway=10.0.2.2
Gateway=fd00:1::2
DNS=10.0.2.3
DNS=fd00:1::3
Domains=example.test
IPv6AcceptRA=no
`;

const netplan = `network:
  version: 2
  renderer: networkd
  ethernets:
    uplink:
      match:
        macaddress: "52:54:00:12:34:56"
      set-name: eth0
      addresses: [10.0.2.15/24, "fd00:1::15/64"]
      routes:
        - {to: default, via: 10.0.2.2}
        - {to: default, via: "fd00:1::2"}
      nameservers:
        addresses: [10.0.2.3, "fd00:1::3"]
        search: [example.test]
      accept-ra: false
`;

/** Configures a static address in the root of a Debian server; with networkd and netplan IPv6 as well. */
export async function configureNetwork(root: string, kind: DebianNetwork): Promise<void> {
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    rmSync(join(root, path), { force: true });
    writeFileSync(join(root, path), text);
    chmodSync(join(root, path), mode);
  };
  if (kind === 'ifupdown') {
    write('etc/network/interfaces', interfaces);
    write('etc/resolv.conf', 'nameserver 10.0.2.3\n');
    return;
  }
  if (kind === 'networkd') write('etc/systemd/network/10-uplink.network', network);
  else write('etc/netplan/50-uplink.yaml', netplan, 0o600);
  rmSync(join(root, 'etc/resolv.conf'), { force: true });
  symlinkSync('../run/systemd/resolve/stub-resolv.conf', join(root, 'etc/resolv.conf'));
  const services = ['systemd-networkd', 'systemd-resolved'];
  await run('chroot', [root, 'systemctl', 'enable', ...services]);
}
