import type { PineError } from '../../../error.ts';
import type { HostFacts } from '../survey.ts';
import { refuse } from './refuse.ts';

/** A network that could not be carried over. */
export function refuseNetwork({ network: { network, source } }: HostFacts): PineError[] {
  const usable = network.interfaces.filter(({ kind }) => kind === 'ethernet');
  const reached = (list: typeof network.interfaces) =>
    list.some(({ dhcp4, dhcp6, routerAdvertisements, routes }) =>
      [dhcp4, dhcp6, routerAdvertisements === true, routes.some(({ to }) => to === 'default')].some(
        Boolean,
      ),
    );
  if (reached(usable)) return [];
  const other = network.interfaces.filter(({ kind }) => kind !== 'ethernet');
  return [
    refuse('INPUT_NETWORK', 'how this machine is reached could not be carried over', [
      'a default route or DHCP on an Ethernet card',
      other.length === 0
        ? 'neither'
        : other.map(({ name, kind }) => `${name}, of the kind ${kind}`).join('; '),
      source,
      'configure the uplink on a card itself, without bond, bridge or VLAN',
    ]),
  ];
}

/** A system that nobody could log in to afterwards. */
export function refuseLogin({ machine, login }: HostFacts): PineError[] {
  if (machine.container !== undefined) return [];
  const { users, invokingUser } = login;
  if (users.some(({ keyFiles }) => keyFiles.length > 0)) return [];
  return [
    refuse('INPUT_NO_LOGIN', 'nobody could log in afterwards', [
      'a key in an authorized_keys file of root or of a user',
      'none (a password of Debian 11 or newer is one that Alpine does not know)',
      `~/.ssh/authorized_keys of ${[...new Set(['root', invokingUser])].join(' and ')}`,
      'put your public key there (`ssh-copy-id`), and log in with it once',
    ]),
  ];
}
