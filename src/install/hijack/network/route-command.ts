import { parseInterfaceAddress, parseRoute } from './address.ts';
import type { InterfaceDraft } from './model.ts';

/**
 * Takes what an `up` line of ifupdown adds to an interface by hand, as providers write it: `ip route
 * add … via …`, `ip addr add …`, `route add -net …`. Gives false for any other command.
 */
export function takeCommand(command: string, to: InterfaceDraft): boolean {
  const plain = command
    .replace(/\s*(\|\||&&)\s*(true|:|exit 0)\s*$/, '')
    .replace(/\s*(2?>|&>)\s*\/dev\/null(\s*2>&1)?\s*$/, '')
    .replace(/\$\{?IFACE\}?/g, to.name)
    .trim();
  if (/[;&|<>`$]/.test(plain)) return false;
  const words = plain.split(/\s+/);
  const program = (words.shift() ?? '').replace(/^(\/usr)?\/s?bin\//, '');
  if (program === 'route') return takeRoute(words, to);
  if (program !== 'ip') return false;
  while (words[0]?.startsWith('-')) words.shift();
  const [object = '', action = '', ...rest] = words;
  if (!/^(add|replace|append)$/.test(action)) return false;
  if (/^ro?u?t?e?$/.test(object)) return takeIpRoute(rest, to);
  if (/^a(ddr(ess)?)?$/.test(object)) return takeIpAddress(rest, to);
  return false;
}

/** Pairs of words such as `via X dev Y`, and what stands alone; `undefined` for another device. */
function options(words: readonly string[], name: string, alone: readonly string[]) {
  const values = new Map<string, string>();
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (alone.includes(word)) values.set(word, '');
    else values.set(word, words[++index] ?? '');
  }
  const device = values.get('dev');
  return device === undefined || device === name ? values : undefined;
}

function takeIpRoute([target = '', ...rest]: readonly string[], to: InterfaceDraft): boolean {
  const found = options(rest, to.name, ['onlink']);
  const known = ['via', 'dev', 'metric', 'onlink', 'proto', 'scope', 'src'];
  if (found === undefined || ![...found.keys()].every((key) => known.includes(key))) return false;
  const [via, metric] = [found.get('via'), found.get('metric')];
  return addRoute(to, target, { ...(via && { via }), ...(metric && { metric }) });
}

function takeIpAddress([text = '', ...rest]: readonly string[], to: InterfaceDraft): boolean {
  const found = options(rest, to.name, []);
  const known = ['dev', 'peer', 'label', 'broadcast', 'brd', 'scope', 'preferred_lft'];
  if (found === undefined || ![...found.keys()].every((key) => known.includes(key))) return false;
  const address = parseInterfaceAddress(text, undefined, found.get('peer'));
  if (address !== undefined) to.addresses.push(address);
  return address !== undefined;
}

/** net-tools' `route add`, with or without `-net`, `-host` and `-A inet6`. */
function takeRoute([action, ...words]: readonly string[], to: InterfaceDraft): boolean {
  if (action !== 'add') return false;
  const rest = words.filter((word) => !/^(-net|-host|-A|inet6?|-4|-6)$/.test(word));
  const found = options(rest.slice(1), to.name, []);
  const known = ['gw', 'netmask', 'dev', 'metric'];
  if (found === undefined || ![...found.keys()].every((key) => known.includes(key))) return false;
  const [via, mask, metric] = [found.get('gw'), found.get('netmask'), found.get('metric')];
  return addRoute(to, rest[0] ?? '', {
    ...(via && { via }),
    ...(mask && { mask }),
    ...(metric && { metric }),
  });
}

function addRoute(
  to: InterfaceDraft,
  target: string,
  how: { via?: string; mask?: string; metric?: string },
): boolean {
  const route = parseRoute(target, how);
  if (route !== undefined) to.routes.push(route);
  return route !== undefined;
}
