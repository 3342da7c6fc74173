import { isIP } from 'node:net';
import { invalidConfiguration } from '../configuration-values.ts';

/** A check that pine brings along, as pinectl.toml switches it on. */
export type BuiltIn = {
  /** What pinectl.toml says: `sshd:2222`. */
  readonly name: string;
} & (
  | { readonly kind: 'default-route' }
  | { readonly kind: 'name-resolution'; readonly host: string }
  | { readonly kind: 'sshd'; readonly address: string; readonly port: number }
  | { readonly kind: 'remote'; readonly remote: string }
  | { readonly kind: 'service'; readonly service: string }
);

const hostName = /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,250}[A-Za-z0-9_])?\.?$/;
const serviceName = /^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,100}$/;
const forms =
  'default-route, name-resolution[:HOST], sshd[:PORT or :ADDRESS:PORT], remote, service:NAME';

/** Reads one entry of `required` or `wanted`. Throws INPUT_CONFIGURATION. */
export function parseBuiltIn(entry: unknown, remote: string, where: string): BuiltIn {
  const name = typeof entry === 'string' ? entry : '';
  const [, kind, given] = /^([a-z-]+)(?::(.+))?$/.exec(name) ?? [];
  const found = known(kind, given, remote);
  if (found !== undefined) return { name, ...found };
  throw invalidConfiguration(where, `built-in checks: ${forms}`, JSON.stringify(entry) ?? 'none');
}

type Unnamed<T> = T extends unknown ? Omit<T, 'name'> : never;

function known(
  kind: string | undefined,
  given: string | undefined,
  remote: string,
): Unnamed<BuiltIn> | undefined {
  switch (kind) {
    case 'default-route':
      return given === undefined ? { kind } : undefined;
    case 'remote':
      return given === undefined ? { kind, remote } : undefined;
    case 'name-resolution': {
      // Without a host it is the one that upgrades come from. A path or an address has no name.
      const host = given ?? hostOf(remote) ?? '';
      return hostName.test(host) && isIP(host) === 0 ? { kind, host } : undefined;
    }
    case 'service':
      return given !== undefined && serviceName.test(given) ? { kind, service: given } : undefined;
    case 'sshd': {
      const [, address = '127.0.0.1', digits] =
        /^(?:(.+):)?([0-9]{1,5})$/.exec(given ?? '22') ?? [];
      const bare = address.replace(/^\[(.+)\]$/, '$1');
      const port = Number(digits);
      return isIP(bare) !== 0 && port > 0 && port < 65_536
        ? { kind, address: bare, port }
        : undefined;
    }
    default:
      return undefined;
  }
}

function hostOf(remote: string): string | undefined {
  return URL.canParse(remote) ? new URL(remote).hostname : undefined;
}
