import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './programs.ts';

/** Packages of Alpine that make a small server, without kernel and Node.js. */
export const serverPackages =
  'alpine-base chrony e2fsprogs e2fsprogs-extra openssh partx sfdisk tzdata'.split(' ');

/** OpenRC services by runlevel. Only those that the root has are linked. */
const services = {
  sysinit: ['devfs', 'dmesg', 'mdev', 'hwdrivers'],
  boot: ['modules', 'sysctl', 'hostname', 'bootmisc', 'syslog', 'networking', 'seedrng'],
  default: ['crond', 'sshd', 'chronyd'],
  shutdown: ['mount-ro', 'killprocs', 'savecache'],
} as const;

/** Links the services of a server and puts a login on the first serial port. */
export function configureServer(root: string): void {
  for (const [runlevel, names] of Object.entries(services)) {
    const folder = join(root, 'etc/runlevels', runlevel);
    mkdirSync(folder, { recursive: true });
    for (const name of names) {
      if (!existsSync(join(root, 'etc/init.d', name))) continue;
      rmSync(join(folder, name), { force: true });
      symlinkSync(`/etc/init.d/${name}`, join(folder, name));
    }
  }
  const path = join(root, 'etc/inittab');
  const inittab = readFileSync(path, 'utf8')
    .replaceAll(/^(tty[1-6]::)/gm, '#$1')
    .replace(/^#(ttyS0::)/m, '$1');
  writeFileSync(path, inittab);
}

/** Gives the root the address that QEMU's user network expects: no DHCP client has to run. */
export function configureQemuNetwork(root: string): void {
  writeFileSync(
    join(root, 'etc/network/interfaces'),
    [
      'auto lo',
      'iface lo inet loopback',
      '',
      'auto eth0',
      'iface eth0 inet static',
      '\taddress 10.0.2.15',
      '\tnetmask 255.255.255.0',
      '\tgateway 10.0.2.2',
      '',
    ].join('\n'),
  );
  writeFileSync(join(root, 'etc/resolv.conf'), 'nameserver 10.0.2.3\n');
}

/** Lays pine's overlay (`npm run build`) over a root. */
export async function installOverlay(root: string, overlay: string): Promise<void> {
  await run('tar', ['-xzf', overlay, '-C', root, '--numeric-owner', '--no-overwrite-dir']);
}
