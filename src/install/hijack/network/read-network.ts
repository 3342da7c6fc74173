import { PineError } from '../../../error.ts';
import { globMatches } from '../glob.ts';
import type { Host } from '../host.ts';
import { parseAddress } from './address.ts';
import { type Candidate, type ChosenNetwork, chooseNetwork } from './choose-network.ts';
import { readCloudInit } from './cloud-init.ts';
import { parseIfupdown, sourcedPatterns } from './ifupdown.ts';
import { readKernelTables } from './kernel-tables.ts';
import { isConfigured, type Network } from './model.ts';
import { type KnownInterface, readNetplan } from './netplan.ts';
import { readNetworkManager } from './network-manager.ts';
import { readNetworkd } from './networkd.ts';

/** Reads how the network of a running system is configured, from whatever configures it. */
export async function readNetwork(host: Host): Promise<ChosenNetwork> {
  const kernel = readKernelTables({
    addresses: await ip(host, ['-j', '-d', 'addr']),
    routes4: await ip(host, ['-j', 'route']),
    routes6: await ip(host, ['-j', '-6', 'route']),
  });
  const known = kernel.interfaces;
  const found: Candidate[] = [];
  const add = (source: string, network: Network | undefined) => {
    if (network?.interfaces.some(isConfigured)) found.push({ source, network });
  };
  add('ifupdown (/etc/network/interfaces)', await ifupdown(host));
  add('netplan', readNetplan(await yamlFiles(host, 'netplan', /\.yaml$/), known));
  add('systemd-networkd', readNetworkd(await networkdFiles(host), known));
  add('NetworkManager', readNetworkManager(await keyfiles(host), known));
  add('cloud-init', await cloudInit(host, known));
  const chosen = chooseNetwork(kernel, found);
  const { network } = chosen;
  if (network.nameServers.length > 0) return chosen;
  return { ...chosen, network: { ...network, ...(await resolver(host)) } };
}

async function ip(host: Host, args: readonly string[]): Promise<string> {
  const text = await host.report('ip', args);
  if (text !== undefined) return text;
  throw new PineError('PROGRAM_MISSING', 'the program ip is missing, or failed', {
    expected: `\`ip ${args.join(' ')}\` to print the kernel's tables`,
    found: 'nothing',
    where: 'this machine',
    remedy: 'install the package iproute2',
  });
}

/** /etc/network/interfaces with what it sources, as one text. */
async function ifupdown(host: Host): Promise<Network | undefined> {
  const folder = '/etc/network';
  const text = await host.readText(`${folder}/interfaces`);
  if (text === undefined) return undefined;
  const texts = [text];
  for (const { kind, pattern } of sourcedPatterns(text)) {
    const path = pattern.startsWith('/') ? pattern : `${folder}/${pattern}`;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const parent = kind === 'folder' ? path : path.slice(0, path.lastIndexOf('/'));
    for (const entry of await host.list(parent)) {
      // A folder is read without the copies that editors and package managers leave in it.
      const wanted = kind === 'folder' ? /^[\w-]+$/.test(entry) : globMatches(name, entry);
      if (wanted) texts.push((await host.readText(`${parent}/${entry}`)) ?? '');
    }
  }
  return parseIfupdown(texts.join('\n'));
}

/** Files of /etc, /run and /usr/lib by their names: one in an earlier folder hides the others. */
async function layeredFiles(host: Host, folder: string, name: RegExp) {
  const files = new Map<string, string>();
  for (const top of ['/etc', '/run', '/usr/local/lib', '/usr/lib', '/lib']) {
    for (const entry of await host.list(`${top}/${folder}`)) {
      if (!name.test(entry) || files.has(entry)) continue;
      files.set(entry, (await host.readText(`${top}/${folder}/${entry}`)) ?? '');
    }
  }
  return [...files]
    .map(([entry, text]) => ({ name: entry, text }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function yamlFiles(host: Host, folder: string, name: RegExp): Promise<unknown[]> {
  const files = await layeredFiles(host, folder, name);
  return Promise.all(files.map(({ text }) => parseYaml(text)));
}

/** A document, or nothing where it is none: whatever uses the file could not read it either. */
async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  try {
    return parse(text, { maxAliasCount: 100, logLevel: 'silent' });
  } catch {
    return undefined;
  }
}

async function networkdFiles(host: Host) {
  const files = await layeredFiles(host, 'systemd/network', /\.network$/);
  return Promise.all(
    files.map(async ({ name, text }) => {
      const dropIns = await layeredFiles(host, `systemd/network/${name}.d`, /\.conf$/);
      return { name, text: [text, ...dropIns.map((file) => file.text)].join('\n') };
    }),
  );
}

async function keyfiles(host: Host): Promise<string[]> {
  const texts: string[] = [];
  for (const top of ['/etc', '/run', '/usr/lib']) {
    const folder = `${top}/NetworkManager/system-connections`;
    for (const name of await host.list(folder)) {
      texts.push((await host.readText(`${folder}/${name}`)) ?? '');
    }
  }
  return texts;
}

/** cloud-init's own configuration: what it was given, by the place that counts most. */
async function cloudInit(
  host: Host,
  known: readonly KnownInterface[],
): Promise<Network | undefined> {
  const configured = (await yamlFiles(host, 'cloud/cloud.cfg.d', /\.cfg$/)).reverse();
  const given = ['nocloud', 'nocloud-net'].map((name) => `seed/${name}/network-config`);
  const texts = await Promise.all(
    ['instance/network-config.json', ...given].map((name) =>
      host.readText(`/var/lib/cloud/${name}`),
    ),
  );
  const documents = [
    ...configured,
    ...(await Promise.all(texts.map((text) => parseYaml(text ?? '')))),
  ];
  for (const document of documents) {
    const network = readCloudInit(document, known);
    if (network?.interfaces.some(isConfigured)) return network;
  }
  return undefined;
}

/** Name servers as the C library has them; behind systemd-resolved, those that it asks. */
async function resolver(host: Host): Promise<Pick<Network, 'nameServers' | 'searchDomains'>> {
  for (const path of ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']) {
    const text = (await host.readText(path)) ?? '';
    const words = (key: string) =>
      text
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([first]) => first === key)
        .flatMap(([, ...rest]) => rest);
    const nameServers = words('nameserver').filter(
      (one) => parseAddress(one) !== undefined && !one.startsWith('127.') && one !== '::1',
    );
    if (nameServers.length > 0) return { nameServers, searchDomains: words('search') };
  }
  return { nameServers: [], searchDomains: [] };
}
