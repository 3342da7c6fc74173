import { listOf, recordOf, textOf } from '../record.ts';
import { parseAddress, parseInterfaceAddress, parseMac, parseRoute } from './address.ts';
import {
  emptyNetwork,
  type InterfaceDraft,
  interfaceNamed,
  type Network,
  type NetworkDraft,
} from './model.ts';
import { type KnownInterface, readNetplan } from './netplan.ts';

/**
 * Reads cloud-init's network configuration (parsed YAML), of version 1 or 2, with or without the key
 * `network` around it; `undefined` for a document that has none.
 * Source: cloud-init, "Networking config Version 1" and "Version 2".
 */
export function readCloudInit(
  document: unknown,
  known: readonly KnownInterface[],
): Network | undefined {
  const inner = recordOf(document).network ?? document;
  const { version, config } = recordOf(inner);
  if (version === 2) return readNetplan([{ network: inner }], known);
  if (version !== 1 || !Array.isArray(config)) return undefined;
  const network = emptyNetwork();
  for (const entry of config) takeEntry(recordOf(entry), known, network);
  return network;
}

type Settings = Readonly<Record<string, unknown>>;

function takeEntry(entry: Settings, known: readonly KnownInterface[], network: NetworkDraft): void {
  switch (entry.type) {
    case 'physical': {
      const mac = parseMac(entry.mac_address);
      const name = known.find((one) => mac !== undefined && one.mac === mac)?.name;
      const to = interfaceNamed(network, name ?? textOf(entry.name) ?? '');
      to.mac = mac ?? to.mac;
      to.mtu = Number(entry.mtu) || to.mtu;
      if (entry['accept-ra'] !== undefined) to.routerAdvertisements = entry['accept-ra'] === true;
      for (const subnet of listOf(entry.subnets)) takeSubnet(to, recordOf(subnet), network);
      return;
    }
    case 'nameserver':
      takeNameServers(entry.address, entry.search, network);
      return;
    case 'loopback':
      return;
    case 'route':
      network.leftOut.push(`route ${textOf(entry.destination)} of no interface`);
      return;
    default:
      interfaceNamed(network, textOf(entry.name) ?? '').kind = textOf(entry.type) ?? 'unknown';
  }
}

function takeSubnet(to: InterfaceDraft, subnet: Settings, network: NetworkDraft): void {
  const type = textOf(subnet.type) ?? '';
  takeNameServers(subnet.dns_nameservers, subnet.dns_search, network);
  if (/^dhcp4?$/.test(type)) to.dhcp4 = true;
  else if (/^(dhcp6|ipv6_dhcpv6-stateful)$/.test(type)) to.dhcp6 = true;
  else if (/^(ipv6_slaac|ipv6_dhcpv6-stateless)$/.test(type)) to.routerAdvertisements = true;
  else if (/^static6?$/.test(type)) {
    const address = parseInterfaceAddress(textOf(subnet.address) ?? '', textOf(subnet.netmask));
    if (address === undefined)
      network.leftOut.push(`${to.name}: address ${textOf(subnet.address)}`);
    else to.addresses.push(address);
  } else if (type !== 'manual') {
    network.leftOut.push(`${to.name}: a subnet of type ${type}`);
  }
  const gateway = textOf(subnet.gateway);
  if (gateway !== undefined) takeRoute(to, { destination: 'default', gateway }, network);
  for (const route of listOf(subnet.routes)) takeRoute(to, recordOf(route), network);
}

function takeRoute(to: InterfaceDraft, route: Settings, network: NetworkDraft): void {
  const target = textOf(route.destination) ?? textOf(route.network) ?? '';
  const [via, mask, metric] = [route.gateway, route.netmask, route.metric].map(textOf);
  const parsed = parseRoute(target, {
    ...(via && { via }),
    ...(mask && !target.includes('/') && { mask }),
    ...(metric && { metric }),
  });
  if (parsed === undefined) network.leftOut.push(`${to.name}: route ${target}`);
  else to.routes.push(parsed);
}

function takeNameServers(addresses: unknown, search: unknown, network: NetworkDraft): void {
  for (const one of listOf(addresses)) {
    const address = parseAddress(textOf(one) ?? '');
    if (address !== undefined) network.nameServers.push(address.address);
  }
  network.searchDomains.push(...listOf(search).flatMap((one) => textOf(one) ?? []));
}
