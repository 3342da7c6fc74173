import {
  formatAddress,
  parseAddress,
  parseInterfaceAddress,
  parseMac,
  parseRoute,
} from './address.ts';
import {
  emptyNetwork,
  type InterfaceDraft,
  interfaceNamed,
  type Network,
  type NetworkDraft,
} from './model.ts';
import { takeCommand } from './route-command.ts';

interface Stanza {
  readonly name: string;
  readonly family: string;
  readonly method: string;
  readonly options: (readonly [key: string, value: string])[];
}

/**
 * Parses the text of /etc/network/interfaces, with the files that it sources in their places
 * (`sourcedPatterns` tells them). Source: interfaces(5) of ifupdown 0.8, and of ifupdown-ng.
 */
export function parseIfupdown(text: string): Network {
  const network = emptyNetwork();
  const started = new Set<string>();
  let stanza: Stanza | undefined;
  const close = () => {
    if (stanza !== undefined) takeStanza(stanza, network);
    stanza = undefined;
  };
  for (const line of logicalLines(text)) {
    const [word = '', ...rest] = line.split(/\s+/);
    if (word === 'iface') {
      close();
      const [name = '', family = '', method = ''] = rest;
      stanza = { name, family, method, options: [] };
    } else if (word === 'auto' || word.startsWith('allow-')) {
      close();
      for (const name of rest) started.add(name);
    } else if (/^(source|source-directory|mapping|no-auto-down|no-scripts|template)$/.test(word)) {
      close();
      if (word === 'mapping' || word === 'template') network.leftOut.push(line);
    } else {
      stanza?.options.push([word, line.slice(word.length).trim()]);
    }
  }
  close();
  const interfaces = network.interfaces.filter(({ name }) => name !== 'lo');
  const isStarted = ({ name, kind }: InterfaceDraft) => started.has(name) || kind !== 'ethernet';
  const left = network.leftOut;
  for (const { name } of interfaces.filter((one) => !isStarted(one))) {
    left.push(`${name} is configured, but not started at boot (neither auto nor allow-hotplug)`);
  }
  const loopback = network.interfaces.find(({ name }) => name === 'lo')?.addresses ?? [];
  for (const one of loopback.filter(({ address }) => !/^(127\.|::1$)/.test(address))) {
    left.push(`${formatAddress(one)} of lo`);
  }
  return { ...network, interfaces: interfaces.filter(isStarted) };
}

/** What an interfaces file sources: patterns for files and folders, with `*`, relative to its folder. */
export function sourcedPatterns(text: string): { kind: 'file' | 'folder'; pattern: string }[] {
  return logicalLines(text).flatMap((line) => {
    const [word, ...patterns] = line.split(/\s+/);
    if (word !== 'source' && word !== 'source-directory') return [];
    const kind = word === 'source' ? ('file' as const) : ('folder' as const);
    return patterns.map((pattern) => ({ kind, pattern }));
  });
}

/** Lines without comments, those that end in a backslash put together. */
function logicalLines(text: string): string[] {
  return text
    .replace(/\\\r?\n/g, ' ')
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function takeStanza({ name: label, family, method, options }: Stanza, network: NetworkDraft): void {
  const name = label.replace(/:.*$/, ''); // eth0:1 is a second address of eth0
  const to = interfaceNamed(network, name);
  const value = (...keys: string[]) => options.find(([key]) => keys.includes(key))?.[1];
  to.kind =
    kindOf(
      name,
      options.map(([key]) => key),
    ) ?? to.kind;
  if (method === 'dhcp' && family === 'inet6') to.dhcp6 = true;
  else if (method === 'dhcp') to.dhcp4 = true;
  else if (method === 'auto') to.routerAdvertisements = true;
  else if (method === 'ppp' || method === 'wvdial' || method === 'tunnel') to.kind = method;
  takeAddresses(to, options, value('pointopoint', 'point-to-point'), network);
  const metric = value('metric');
  for (const [key, text] of options) takeOption(to, key, text, metric, network);
}

function takeAddresses(
  to: InterfaceDraft,
  options: Stanza['options'],
  peer: string | undefined,
  network: NetworkDraft,
): void {
  const mask = options.find(([key]) => key === 'netmask')?.[1];
  for (const [key, text] of options) {
    if (key !== 'address') continue;
    const address = parseInterfaceAddress(text, text.includes('/') ? undefined : mask, peer);
    if (address === undefined) network.leftOut.push(`${to.name}: address ${text}`);
    else to.addresses.push(address);
  }
}

function takeOption(
  to: InterfaceDraft,
  key: string,
  text: string,
  metric: string | undefined,
  network: NetworkDraft,
): void {
  const leave = () => network.leftOut.push(`${to.name}: ${key} ${text}`);
  switch (key) {
    case 'gateway':
      for (const via of text.split(/\s+/)) {
        const route = parseRoute('default', { via, ...(metric && { metric }) });
        if (route === undefined) leave();
        else to.routes.push(route);
      }
      return;
    case 'mtu':
      to.mtu = Number(text) || undefined;
      return;
    case 'hwaddress':
      // It sets the address. What is carried over by it must be the one that the card has then.
      to.mac = parseMac(text.replace(/^ether\s+/, '')) ?? to.mac;
      return;
    case 'accept_ra':
      to.routerAdvertisements = text !== '0';
      return;
    case 'dns-nameserver':
    case 'dns-nameservers':
      network.nameServers.push(...text.split(/\s+/).filter((one) => parseAddress(one)));
      return;
    case 'dns-search':
    case 'dns-domain':
      network.searchDomains.push(...text.split(/\s+/));
      return;
    case 'use':
      if (text === 'dhcp') to.dhcp4 = true;
      return;
    case 'up':
    case 'post-up':
    case 'pre-up':
      if (!takeCommand(text, to)) leave();
      return;
    // Said elsewhere, or what the kernel finds by itself, or the reverse of an `up`
    case 'address':
    case 'netmask':
    case 'network':
    case 'broadcast':
    case 'pointopoint':
    case 'point-to-point':
    case 'metric':
    case 'autoconf':
    case 'dad-attempts':
    case 'scope':
    case 'down':
    case 'post-down':
    case 'pre-down':
      return;
    default:
      leave();
  }
}

function kindOf(name: string, keys: readonly string[]): string | undefined {
  if (keys.some((key) => /^bridge[_-]/.test(key))) return 'bridge';
  if (keys.some((key) => /^bond-/.test(key))) return 'bond';
  if (keys.includes('vlan-raw-device') || /\.\d+$|^vlan\d+$/.test(name)) return 'vlan';
  return undefined;
}
