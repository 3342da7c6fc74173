import { formatAddress, sameAddress } from './address.ts';
import { isConfigured, type Network, type NetworkInterface } from './model.ts';

/** A configuration that was found, and where. */
export interface Candidate {
  /** As `netplan (/etc/netplan)`. */
  readonly source: string;
  readonly network: Network;
}

/** The network that is carried over. */
export interface ChosenNetwork extends Candidate {
  /** Why no other configuration was taken. */
  readonly notes: readonly string[];
}

/**
 * Chooses what to carry over: the first configuration that says what is in force now, else the
 * kernel's own tables. What works now is what must work afterwards, whatever some file says.
 */
export function chooseNetwork(kernel: Network, candidates: readonly Candidate[]): ChosenNetwork {
  const notes: string[] = [];
  for (const { source, network } of candidates) {
    const differences = differencesFrom(kernel, network);
    if (differences.length === 0) {
      return { source, network: complete(network, kernel), notes };
    }
    notes.push(`not ${source}: ${differences.join('; ')}`);
  }
  return { source: "the kernel's own tables", network: complete(kernel, kernel), notes };
}

/** What of the kernel's tables a configuration does not explain, and the reverse. */
export function differencesFrom(kernel: Network, network: Network): string[] {
  return kernel.interfaces.filter(isInUse).flatMap((now) => {
    const said = network.interfaces.find(({ name }) => name === now.name);
    if (said === undefined || !isConfigured(said)) return [`it does not configure ${now.name}`];
    return ([4, 6] as const).flatMap((family) => differencesOf(now, said, family));
  });
}

function isInUse(one: NetworkInterface): boolean {
  return isConfigured(one) || one.routes.some(({ to }) => to === 'default');
}

function differencesOf(now: NetworkInterface, said: NetworkInterface, family: 4 | 6): string[] {
  const ofFamily = (one: NetworkInterface) =>
    one.addresses.filter(({ address }) => address.includes(':') === (family === 6));
  const gateways = (one: NetworkInterface) =>
    one.routes.filter((route) => route.to === 'default' && route.family === family);
  const leased = family === 4 ? said.dhcp4 : said.dhcp6;
  const [real, wanted] = [ofFamily(now), ofFamily(said)];
  const unexplained = leased
    ? []
    : real.filter((one) => !wanted.some((other) => sameAddress(one, other)));
  const absent = wanted.filter((one) => !real.some((other) => sameAddress(one, other)));
  const wrong = [
    ...unexplained.map((one) => `${now.name} has ${formatAddress(one)} as well`),
    ...absent.map((one) => `${now.name} does not have ${formatAddress(one)}`),
  ];
  if (family === 4 && now.dhcp4 && !said.dhcp4) wrong.push(`${now.name} has a leased address`);
  const [through, wantedThrough] = [gateways(now), gateways(said)];
  if (!leased || wantedThrough.length > 0) {
    const text = (list: typeof through) =>
      list
        .map(({ via }) => via ?? 'the link')
        .sort()
        .join();
    if (text(through) !== text(wantedThrough)) {
      wrong.push(`the gateway of ${now.name} is ${text(through) || 'none'}`);
    }
  }
  return wrong;
}

/**
 * Adds what the kernel knows better: MAC addresses, an MTU that a server gave, what is no card. An interface that is not
 * there now is left out: its name would go into commands of a shell, and nothing has judged it.
 */
function complete(network: Network, kernel: Network): Network {
  const configured = network.interfaces.filter(isConfigured);
  const interfaces = configured.flatMap((one) => {
    const now = kernel.interfaces.find(({ name }) => name === one.name);
    if (now === undefined) return [];
    const kind = now.kind === 'ethernet' ? one.kind : now.kind;
    return [{ ...one, kind, mac: now.mac ?? one.mac, mtu: one.mtu ?? now.mtu }];
  });
  const absent = configured.filter(({ name }) => !interfaces.some((one) => one.name === name));
  const leftOut = [
    ...network.leftOut,
    ...absent.map(({ name }) => `${name}: no such interface now`),
  ];
  return { ...network, interfaces, leftOut };
}
