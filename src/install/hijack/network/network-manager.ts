import { parseAddress, parseInterfaceAddress, parseMac, parseRoute } from './address.ts';
import { lastValue, parseIni } from './ini.ts';
import {
  emptyNetwork,
  type InterfaceDraft,
  interfaceNamed,
  type Network,
  type NetworkDraft,
} from './model.ts';
import type { KnownInterface } from './netplan.ts';

/**
 * Reads the keyfiles of NetworkManager (system-connections/*.nmconnection). A profile for any card is
 * taken for the first that has none of its own. Source: nm-settings-keyfile(5).
 */
export function readNetworkManager(
  texts: readonly string[],
  known: readonly KnownInterface[],
): Network {
  const network = emptyNetwork();
  const profiles = texts.map(parseIni).map((sections) => ({
    get: (section: string, key: string) => lastValue(sections, section, key),
    entries: (section: string) =>
      sections.filter(({ name }) => name === section).flatMap(({ entries }) => entries),
  }));
  const named = ({ get }: Profile) =>
    get('connection', 'interface-name') ?? get('ethernet', 'mac-address');
  const bound = profiles.filter((profile) => named(profile) !== undefined);
  const free = profiles.filter((profile) => named(profile) === undefined);
  for (const profile of [...bound, ...free]) {
    const { get } = profile;
    const type = get('connection', 'type') ?? 'ethernet';
    const id = get('connection', 'id') ?? 'a profile';
    if (get('connection', 'autoconnect') === 'false') continue;
    const mac = parseMac(get('ethernet', 'mac-address'));
    const name =
      get('connection', 'interface-name') ??
      known.find((one) =>
        mac === undefined
          ? !network.interfaces.some((taken) => taken.name === one.name)
          : one.mac === mac,
      )?.name;
    if (name === undefined) {
      network.leftOut.push(`${id}: no such interface now`);
      continue;
    }
    const to = interfaceNamed(network, name);
    if (!/^(ethernet|802-3-ethernet)$/.test(type)) to.kind = type;
    to.mac = mac;
    to.mtu = Number(get('ethernet', 'mtu')) || undefined;
    takeFamily(to, profile, 4, network);
    takeFamily(to, profile, 6, network);
  }
  return network;
}

interface Profile {
  get(section: string, key: string): string | undefined;
  entries(section: string): readonly (readonly [string, string])[];
}

function takeFamily(
  to: InterfaceDraft,
  profile: Profile,
  family: 4 | 6,
  network: NetworkDraft,
): void {
  const section = `ipv${family}`;
  const method = profile.get(section, 'method');
  if (family === 4) to.dhcp4 = method === 'auto';
  if (family === 6 && method === 'dhcp') to.dhcp6 = true;
  if (family === 6 && method === 'auto') to.routerAdvertisements = true;
  if (family === 6 && method === 'manual') to.routerAdvertisements = false;
  for (const [key, value] of profile.entries(section)) {
    if (/^address(es)?\d*$/.test(key)) takeAddress(to, value, network);
    else if (/^route\d+$/.test(key)) takeRoute(to, value, network);
    else if (key === 'gateway') takeRoute(to, `default,${value}`, network);
    else if (key === 'dns') {
      const servers = value.split(/[;,\s]+/).map((one) => parseAddress(one.replace(/[#%].*$/, '')));
      network.nameServers.push(...servers.flatMap((one) => one?.address ?? []));
    } else if (key === 'dns-search') {
      network.searchDomains.push(...value.split(/[;,\s]+/).filter((one) => one !== ''));
    } else if (/^(routing-rule|.*table)/.test(key)) {
      network.leftOut.push(`${to.name}: ${key}=${value}`);
    }
  }
}

/** `192.0.2.5/24` or, with the gateway behind it, `192.0.2.5/24,192.0.2.1`. */
function takeAddress(to: InterfaceDraft, value: string, network: NetworkDraft): void {
  const [text = '', gateway] = value.replace(/;$/, '').split(',');
  const address = parseInterfaceAddress(text);
  if (address === undefined) network.leftOut.push(`${to.name}: address ${value}`);
  else to.addresses.push(address);
  if (gateway) takeRoute(to, `default,${gateway}`, network);
}

/** `10.0.0.0/8,192.0.2.1,100`: the target, the gateway, the metric. */
function takeRoute(to: InterfaceDraft, value: string, network: NetworkDraft): void {
  const [target = '', via, metric] = value.split(',');
  const route = parseRoute(target, { ...(via && { via }), ...(metric && { metric }) });
  if (route === undefined) network.leftOut.push(`${to.name}: route ${value}`);
  else to.routes.push(route);
}
