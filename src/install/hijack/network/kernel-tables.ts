import { PineError } from '../../../error.ts';
import { listOf, recordOf, textOf } from '../record.ts';
import { parseInterfaceAddress, parseMac, parseRoute } from './address.ts';
import { emptyNetwork, type InterfaceDraft, interfaceNamed, type Network } from './model.ts';

/** What `ip -j -d addr`, `ip -j route` and `ip -j -6 route` print. */
export interface KernelTables {
  readonly addresses: string;
  readonly routes4: string;
  readonly routes6: string;
}

/**
 * A name as drivers and udev give it. The kernel takes nearly any 15 bytes, but what is carried over
 * becomes a word of ifupdown's file and of commands of a shell.
 */
const plainName = /^\w[\w.-]{0,14}$/;

/**
 * Reads the network from the kernel's own tables: what is in force now. Addresses that run out were
 * leased: they become DHCP, or are left to router advertisements.
 */
export function readKernelTables(tables: KernelTables): Network {
  const network = emptyNetwork();
  for (const value of parse(tables.addresses, 'ip -j -d addr')) {
    const { ifname, address, permaddr, link_type, linkinfo, mtu } = value;
    const name = textOf(ifname) ?? '';
    if (link_type === 'loopback' || name === '') continue;
    const to = interfaceNamed(network, name);
    to.mac = parseMac(permaddr) ?? parseMac(address);
    if (to.mac !== parseMac(address)) {
      network.leftOut.push(`${name} uses the MAC address ${address} in place of its own`);
    }
    const kind =
      textOf(recordOf(linkinfo).info_kind) ?? (link_type === 'ether' ? 'ethernet' : 'other');
    to.kind = plainName.test(name) ? kind : 'oddly named';
    to.mtu = Number(mtu) === 1500 ? undefined : Number(mtu) || undefined;
    for (const entry of listOf(value.addr_info)) takeAddress(to, recordOf(entry));
  }
  for (const [json, family] of [
    [tables.routes4, 4],
    [tables.routes6, 6],
  ] as const) {
    for (const value of parse(json, 'ip -j route')) {
      const name = textOf(value.dev) ?? '';
      const to = network.interfaces.find((one) => one.name === name);
      if (to !== undefined) takeRoute(to, value, family, network.leftOut);
    }
  }
  return network;
}

const forEver = 4294967295;

function takeAddress(to: InterfaceDraft, entry: Readonly<Record<string, unknown>>): void {
  if (entry.scope !== 'global' || entry.temporary === true) return;
  const { family, local, prefixlen, address: peer } = entry;
  const lasting = entry.dynamic !== true && (entry.valid_life_time ?? forEver) === forEver;
  if (family === 'inet' && !lasting) {
    to.dhcp4 = true;
    return;
  }
  if (family === 'inet6' && !lasting) {
    // A leased address is one of a single host; one that was made from an advertisement is of a network.
    if (prefixlen === 128) to.dhcp6 = true;
    else to.routerAdvertisements = true;
    return;
  }
  const found = parseInterfaceAddress(`${local}/${prefixlen}`, undefined, textOf(peer));
  if (found !== undefined) to.addresses.push(found);
}

function takeRoute(
  to: InterfaceDraft,
  value: Readonly<Record<string, unknown>>,
  family: 4 | 6,
  leftOut: string[],
): void {
  const target = textOf(value.dst) ?? '';
  // Made by the kernel out of an address, or by a router or a server
  if (/^(kernel|ra|dhcp|redirect)$/.test(textOf(value.protocol) ?? '')) return;
  if (family === 4 && to.dhcp4 && target === 'default') return; // dhclient's script names no protocol
  if (value.type !== undefined && value.type !== 'unicast') return;
  if (family === 6 && /^(fe80::|ff00::)/.test(target)) return;
  const [via, metric] = [textOf(value.gateway), textOf(value.metric)];
  // 1024 is what the kernel gives an IPv6 route that names none.
  const own = metric === '1024' && family === 6 ? undefined : metric;
  const route = parseRoute(target, { ...(via && { via }), ...(own && { metric: own }) });
  if (route !== undefined) to.routes.push(route);
  else
    leftOut.push(
      `${to.name}: route ${target}${value.via === undefined ? '' : ' by another family'}`,
    );
}

function parse(json: string, command: string): Readonly<Record<string, unknown>>[] {
  try {
    return listOf(JSON.parse(json === '' ? '[]' : json))
      .map(recordOf)
      .filter((value) => Object.keys(value).length > 0);
  } catch (cause) {
    throw new PineError('PROGRAM_UNEXPECTED', `\`${command}\` printed no JSON`, {
      expected: 'a list, as iproute2 prints it',
      found: JSON.stringify(json.slice(0, 80)),
      where: command,
      remedy: 'install iproute2 (Debian has it); the `ip` of busybox prints no JSON',
      cause,
    });
  }
}
