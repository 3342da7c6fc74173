import { SocketAddress } from 'node:net';
import type { InterfaceAddress, Route } from './model.ts';

/** The family of an address, and its shortest form; `undefined` for what is none. */
export function parseAddress(text: string): { family: 4 | 6; address: string } | undefined {
  const family = text.includes(':') ? 6 : 4;
  try {
    const { address } = new SocketAddress({ address: text, family: `ipv${family}` });
    return { family, address };
  } catch {
    return undefined;
  }
}

/**
 * Reads `192.0.2.1/24`, or an address with its mask beside it: a length, or `255.255.255.0`.
 * An address alone is one of a single host. `undefined` for what is none.
 */
export function parseInterfaceAddress(
  text: string,
  mask?: string,
  peer?: string,
): InterfaceAddress | undefined {
  const [plain = '', length = mask, ...more] = text.trim().split('/');
  const found = parseAddress(plain);
  if (found === undefined || more.length > 0) return undefined;
  const widest = found.family === 4 ? 32 : 128;
  const prefix = length === undefined ? widest : parseMask(length);
  if (prefix === undefined || prefix > widest) return undefined;
  const other = peer === undefined ? undefined : parseAddress(peer.split('/')[0] ?? '');
  return { address: found.address, prefix, peer: other?.address };
}

/** The length of a mask: `24`, or `255.255.255.0`, whose ones must come first. */
function parseMask(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  const parts = parseAddress(text)?.address.split('.').map(Number) ?? [];
  if (parts.length !== 4) return undefined;
  const bits = parts.map((part) => part.toString(2).padStart(8, '0')).join('');
  return /^1*0*$/.test(bits) ? bits.replace(/0+$/, '').length : undefined;
}

/** What a route may be written like; `to` is a network, a host, `default`, or `0.0.0.0/0`. */
export function parseRoute(
  to: string,
  options: { via?: string; mask?: string; metric?: string | number } = {},
): Route | undefined {
  const { via, mask, metric } = options;
  const gateway = via === undefined ? undefined : parseAddress(via);
  if (via !== undefined && gateway === undefined) return undefined;
  const common = {
    via: gateway?.address,
    metric: metric === undefined ? undefined : Number(metric) || undefined,
  };
  if (to === 'default' || to === 'any') {
    return gateway && { to: 'default', family: gateway.family, ...common };
  }
  const target = parseInterfaceAddress(to, mask);
  if (target === undefined) return undefined;
  const family = target.address.includes(':') ? 6 : 4;
  if (gateway !== undefined && gateway.family !== family) return undefined;
  const isDefault = target.prefix === 0;
  return { to: isDefault ? 'default' : `${target.address}/${target.prefix}`, family, ...common };
}

/** Two addresses of one interface that are the same. */
export function sameAddress(a: InterfaceAddress, b: InterfaceAddress): boolean {
  return a.address === b.address && a.prefix === b.prefix;
}

/** `192.0.2.1/24`. */
export function formatAddress({ address, prefix }: InterfaceAddress): string {
  return `${address}/${prefix}`;
}

/** Whether text is a MAC address, as the kernel prints it but for its case. */
export function parseMac(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  const mac = text.toLowerCase().replaceAll('-', ':');
  return /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/.test(mac) ? mac : undefined;
}
