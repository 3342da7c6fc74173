import { formatAddress, parseAddress } from './address.ts';
import { isConfigured, type Network, type NetworkInterface, type Route } from './model.ts';

/**
 * Writes /etc/network/interfaces for ifupdown-ng, Alpine's own. A gateway needs no route to itself:
 * ifupdown-ng sets it as on-link.
 *
 * Alpine has no udev: the kernel calls the first card eth0. /etc/mactab (`writeMacTab`) gives each its
 * name of before, by its MAC address, before the first is brought up.
 */
export function writeInterfaces(network: Network): string {
  const lines = ['auto lo', 'iface lo inet loopback', '\tpre-up nameif -s || true'];
  for (const one of network.interfaces) {
    if (one.kind === 'ethernet' && isConfigured(one)) lines.push('', ...stanza(one));
  }
  return `${lines.join('\n')}\n`;
}

/** Writes /etc/mactab, which busybox's `nameif` reads: a name and a MAC address a line. */
export function writeMacTab(network: Network): string {
  return network.interfaces
    .filter((one) => one.kind === 'ethernet' && one.mac !== undefined)
    .map(({ name, mac }) => `${name} ${mac}\n`)
    .join('');
}

/** Writes /etc/resolv.conf. The C library reads three servers and no more. */
export function writeResolvConf({ nameServers, searchDomains }: Network): string {
  const search = searchDomains.length === 0 ? [] : [`search ${searchDomains.join(' ')}`];
  const servers = nameServers.slice(0, 3).map((address) => `nameserver ${address}`);
  return [...search, ...servers].map((line) => `${line}\n`).join('');
}

function stanza(one: NetworkInterface): string[] {
  const { name, addresses, routes, mtu } = one;
  const option = (text: string) => `\t${text}`;
  const lines = [`auto ${name}`, `iface ${name}`];
  if (mtu !== undefined) lines.push(option(`mtu ${mtu}`));
  if (one.dhcp4) lines.push(option('use dhcp'));
  // ifupdown-ng has one peer for all IPv4 addresses of an interface: those are added by hand.
  for (const address of addresses) {
    lines.push(
      address.peer === undefined
        ? option(`address ${formatAddress(address)}`)
        : option(`up ip addr add ${address.address} peer ${address.peer} dev ${name}`),
    );
  }
  if (one.routerAdvertisements !== undefined) {
    const value = one.routerAdvertisements ? 1 : 0;
    lines.push(option(`pre-up echo ${value} >/proc/sys/net/ipv6/conf/${name}/accept_ra`));
  }
  const isPlainDefault = (route: Route) => route.to === 'default' && route.metric === undefined;
  // Routes to a network on the link first: a gateway may be behind one.
  const inOrder = [...routes].sort((a, b) => rank(a) - rank(b));
  for (const route of inOrder) {
    if (isPlainDefault(route) && addresses.every(({ peer }) => peer === undefined)) {
      lines.push(option(`gateway ${route.via}`));
    } else lines.push(option(`up ${routeCommand(route, name)}`));
  }
  return lines;
}

function rank({ to, via }: Route): number {
  if (via === undefined) return 0;
  return to === 'default' ? 2 : 1;
}

function routeCommand({ to, family, via, metric }: Route, name: string): string {
  return [
    `ip -${family} route replace ${to}`,
    ...(via === undefined ? [] : [`via ${via}`]),
    `dev ${name}`,
    ...(metric === undefined ? [] : [`metric ${metric}`]),
    ...(via === undefined || parseAddress(via) === undefined ? [] : ['onlink']),
  ].join(' ');
}
