import { globMatches } from '../glob.ts';
import { parseAddress, parseInterfaceAddress, parseMac, parseRoute } from './address.ts';
import { allValues, type IniSection, lastValue, parseIni } from './ini.ts';
import {
  emptyNetwork,
  type InterfaceDraft,
  interfaceNamed,
  type Network,
  type NetworkDraft,
} from './model.ts';
import type { KnownInterface } from './netplan.ts';

/** A .network file with its drop-ins behind it. */
export interface NetworkFile {
  /** Without its folder: files are taken in the order of their names. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads the .network files of systemd-networkd: for each interface the first that matches it.
 * Source: systemd.network(5).
 */
export function readNetworkd(
  files: readonly NetworkFile[],
  known: readonly KnownInterface[],
): Network {
  const network = emptyNetwork();
  const parsed = [...files]
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ text }) => parseIni(text));
  for (const one of known) {
    const sections = parsed.find((candidate) => matches(candidate, one));
    if (sections !== undefined) take(interfaceNamed(network, one.name), sections, network);
  }
  return network;
}

function matches(sections: readonly IniSection[], { name, mac }: KnownInterface): boolean {
  const match = sections.filter((section) => section.name === 'Match');
  const keys = match.flatMap(({ entries }) => entries.map(([key]) => key));
  const words = (key: string) =>
    allValues(match, 'Match', key).flatMap((text) => text.split(/\s+/));
  const macs = [...words('MACAddress'), ...words('PermanentMACAddress')].map(parseMac);
  const kinds = words('Type');
  return (
    keys.length > 0 &&
    (!keys.includes('Name') || nameMatches(words('Name'), name)) &&
    (macs.length === 0 || macs.includes(mac)) &&
    (kinds.length === 0 || kinds.includes('ether'))
  );
}

function nameMatches(patterns: readonly string[], name: string): boolean {
  if (patterns[0]?.startsWith('!')) {
    return !patterns.some((pattern) => globMatches(pattern.replace(/^!/, ''), name));
  }
  return patterns.some((pattern) => globMatches(pattern, name));
}

/** What of [Network] says nothing that would be lost, or is read elsewhere. */
const known =
  /^(DHCP|Address|Gateway|DNS|Domains|IPv6AcceptRA|LinkLocalAddressing|Description|LLDP|EmitLLDP|DNSSEC|DNSOverTLS|LLMNR|MulticastDNS|NTP|IPv6PrivacyExtensions|ConfigureWithoutCarrier)$/;

function take(to: InterfaceDraft, sections: readonly IniSection[], network: NetworkDraft): void {
  const leave = (what: string) => network.leftOut.push(`${to.name}: ${what}`);
  const all = (key: string) => allValues(sections, 'Network', key);
  const dhcp = (lastValue(sections, 'Network', 'DHCP') ?? 'no').toLowerCase();
  to.dhcp4 = /^(yes|true|1|on|both|ipv4|v4)$/.test(dhcp);
  to.dhcp6 = /^(yes|true|1|on|both|ipv6|v6)$/.test(dhcp);
  const advertisements = lastValue(sections, 'Network', 'IPv6AcceptRA');
  if (advertisements !== undefined)
    to.routerAdvertisements = /^(yes|true|1|on)$/i.test(advertisements);
  to.mtu = Number(lastValue(sections, 'Link', 'MTUBytes')) || undefined;

  for (const text of all('Address')) takeAddress(to, text, undefined, leave);
  for (const via of all('Gateway')) takeRoute(to, 'default', via, undefined, leave);
  for (const section of sections) {
    const get = (key: string) => lastValue([section], section.name, key);
    if (section.name === 'Address') takeAddress(to, get('Address') ?? '', get('Peer'), leave);
    if (section.name === 'Route') {
      const via = get('Gateway');
      if (get('Table') !== undefined) leave(`route ${get('Destination')} of another table`);
      else takeRoute(to, get('Destination') ?? 'default', via, get('Metric'), leave);
    }
    if (section.name !== 'Network') continue;
    for (const [key, value] of section.entries) if (!known.test(key)) leave(`${key}=${value}`);
  }
  for (const text of all('DNS').flatMap((line) => line.split(/\s+/))) {
    const address = parseAddress(text.replace(/[#%].*$/, ''));
    if (address !== undefined) network.nameServers.push(address.address);
  }
  const domains = all('Domains').flatMap((line) => line.split(/\s+/));
  network.searchDomains.push(...domains.filter((one) => !one.startsWith('~')));
}

function takeAddress(
  to: InterfaceDraft,
  text: string,
  peer: string | undefined,
  leave: (what: string) => void,
): void {
  const address = parseInterfaceAddress(text, undefined, peer);
  if (address === undefined) leave(`address ${text}`);
  else to.addresses.push(address);
}

function takeRoute(
  to: InterfaceDraft,
  target: string,
  via: string | undefined,
  metric: string | undefined,
  leave: (what: string) => void,
): void {
  if (/^_(dhcp4|ipv6ra)$/.test(via ?? '')) return; // what the server or the router says
  const route = parseRoute(target, { ...(via && { via }), ...(metric && { metric }) });
  if (route === undefined) leave(`route ${target}`);
  else to.routes.push(route);
}
