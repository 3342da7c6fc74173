import { globMatches } from '../glob.ts';
import { listOf, recordOf, textOf } from '../record.ts';
import { parseAddress, parseInterfaceAddress, parseMac, parseRoute } from './address.ts';
import {
  emptyNetwork,
  type InterfaceDraft,
  interfaceNamed,
  type Network,
  type NetworkDraft,
} from './model.ts';

/** Names that a key of netplan may have for interfaces that are none of their own. */
const otherKinds = [
  'bonds',
  'bridges',
  'vlans',
  'wifis',
  'modems',
  'tunnels',
  'vrfs',
  'dummy-devices',
];

/** What is said of an interface by the kernel: what netplan's `match` is held against. */
export interface KnownInterface {
  readonly name: string;
  readonly mac: string | undefined;
}

/**
 * Reads netplan's documents (parsed YAML, in the order in which netplan merges the files), and version
 * 2 of cloud-init's network configuration, which is the same. Source: netplan-yaml(5).
 */
export function readNetplan(
  documents: readonly unknown[],
  known: readonly KnownInterface[],
): Network {
  const network = emptyNetwork();
  const merged = documents.reduce<unknown>(merge, {});
  const top = recordOf(recordOf(merged).network);
  for (const [id, value] of Object.entries(recordOf(top.ethernets))) {
    const settings = recordOf(value);
    const names = matching(id, settings, known);
    if (names.length === 0) network.leftOut.push(`${id}: no such interface now`);
    for (const name of names) takeSettings(interfaceNamed(network, name), settings, network);
  }
  for (const key of otherKinds) {
    for (const name of Object.keys(recordOf(top[key]))) {
      interfaceNamed(network, name).kind = key.replace(/s$/, '');
    }
  }
  return network;
}

/** A later file adds to mappings and lists, and replaces anything else. */
function merge(before: unknown, after: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(after)) return [...before, ...after];
  if (typeof before !== 'object' || before === null) return after;
  if (typeof after !== 'object' || after === null) return after;
  const result: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(after)) {
    result[key] = key in result ? merge(result[key], value) : value;
  }
  return result;
}

/** The interfaces that an entry is for: by its `match`, or the one that is called as the entry. */
function matching(
  id: string,
  settings: Readonly<Record<string, unknown>>,
  known: readonly KnownInterface[],
): string[] {
  const match = recordOf(settings.match);
  const mac = parseMac(match.macaddress);
  const name = textOf(match.name);
  const renamed = textOf(settings['set-name']);
  if (mac === undefined && name === undefined) {
    return known.filter((one) => one.name === id).map((one) => one.name);
  }
  return known
    .filter((one) => mac === undefined || one.mac === mac)
    .filter((one) => name === undefined || one.name === renamed || globMatches(name, one.name))
    .map((one) => one.name);
}

function takeSettings(
  to: InterfaceDraft,
  settings: Readonly<Record<string, unknown>>,
  network: NetworkDraft,
): void {
  const leave = (what: string) => network.leftOut.push(`${to.name}: ${what}`);
  for (const [key, value] of Object.entries(settings)) {
    switch (key) {
      case 'dhcp4':
        to.dhcp4 = isTrue(value);
        break;
      case 'dhcp6':
        to.dhcp6 = isTrue(value);
        break;
      case 'accept-ra':
        to.routerAdvertisements = isTrue(value);
        break;
      case 'mtu':
        to.mtu = Number(value) || undefined;
        break;
      case 'addresses':
        for (const entry of listOf(value)) {
          const text = textOf(entry) ?? Object.keys(recordOf(entry))[0] ?? '';
          const address = parseInterfaceAddress(text);
          if (address === undefined) leave(`address ${text}`);
          else to.addresses.push(address);
        }
        break;
      case 'gateway4':
      case 'gateway6':
        takeRoute(to, { to: 'default', via: value }, leave);
        break;
      case 'routes':
        for (const entry of listOf(value)) takeRoute(to, recordOf(entry), leave);
        break;
      case 'nameservers':
        takeNameServers(recordOf(value), network);
        break;
      case 'macaddress':
        to.mac = parseMac(value);
        break;
      // How the card is found, or nothing that a static network needs
      case 'match':
      case 'set-name':
      case 'renderer':
      case 'optional':
      case 'critical':
      case 'dhcp-identifier':
      case 'dhcp4-overrides':
      case 'dhcp6-overrides':
      case 'link-local':
      case 'ipv6-privacy':
      case 'wakeonlan':
        break;
      default:
        leave(key);
    }
  }
}

function takeRoute(
  to: InterfaceDraft,
  route: Readonly<Record<string, unknown>>,
  leave: (what: string) => void,
): void {
  const [target = '', via, metric] = [textOf(route.to), textOf(route.via), textOf(route.metric)];
  const parsed = parseRoute(target, { ...(via && { via }), ...(metric && { metric }) });
  const unicast = route.type === undefined || route.type === 'unicast';
  if (parsed === undefined || route.table !== undefined || !unicast) leave(`route ${target}`);
  else to.routes.push(parsed);
}

function takeNameServers(value: Readonly<Record<string, unknown>>, network: NetworkDraft): void {
  for (const one of listOf(value.addresses)) {
    const address = parseAddress(textOf(one) ?? '');
    if (address !== undefined) network.nameServers.push(address.address);
  }
  network.searchDomains.push(...listOf(value.search).flatMap((one) => textOf(one) ?? []));
}

function isTrue(value: unknown): boolean {
  return value === true || /^(true|yes|on|y)$/i.test(String(value));
}
