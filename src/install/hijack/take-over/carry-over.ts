import { type OldSystemWish, wishFile } from '../../../boot/old-system-wish.ts';
import { formatRecord, type TakeOverRecord } from '../../../take-over/record.ts';
import { tarEnd } from '../../../tar/write-tar.ts';
import type { LoginFacts } from '../login.ts';
import { writeInterfaces, writeMacTab, writeResolvConf } from '../network/interfaces-file.ts';
import type { Network } from '../network/model.ts';
import { type Accounts, carryAccounts } from './accounts.ts';
import { type CloudPrograms, switchedOff } from './cloud-programs.ts';
import { encode, file, folder, type Member } from './members.ts';

/** What of the image's /etc is built upon. */
export interface ImageEtc extends Accounts {
  readonly sshdConfig: string;
  /** `/etc/pine/pinectl.toml`; empty when it has none. */
  readonly pinectlToml: string;
  /** Shells that it has, by their paths. */
  readonly shells: ReadonlySet<string>;
  /** Whether its pine knows that a first trial waits for a login. */
  readonly seesLogins: boolean;
  readonly cloud: CloudPrograms;
}

/** What of the old system goes into the new one. */
export interface OldSystem {
  readonly network: Network;
  readonly login: LoginFacts;
  /** Second fields of its shadow file by name. */
  readonly hashes: ReadonlyMap<string, string>;
  /** Contents of its host keys by path, public halves as well. */
  readonly hostKeys: ReadonlyMap<string, Buffer>;
  /** For each user the lines of all its authorized_keys files. */
  readonly authorizedKeys: ReadonlyMap<string, string>;
  /** The zone's own file; `undefined` when there is none. */
  readonly localTime: Buffer | undefined;
}

/** What the new machine is to follow. */
export interface Following {
  readonly remote: string;
  readonly ref: string;
  /** Texts of the public keys. */
  readonly keys: readonly string[];
  /** What is to become of the old system, beside being kept. */
  readonly oldSystem?: OldSystemWish | undefined;
}

/** A tar of etc/, root/ and home/, which the first boot lays over what the image has there. */
export interface CarriedOver {
  readonly tar: Buffer;
  readonly paths: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Makes what is carried over: network, host name, host keys, who may log in, and what to follow. The boot
 * partition keeps it as the rescue copy, out of which the initramfs makes a new /etc, /root and /home
 * (S11): there is one way, and it is there again if the data partition is ever lost.
 */
export function carryOver(
  image: ImageEtc,
  old: OldSystem,
  following: Following,
  record: TakeOverRecord,
): CarriedOver {
  const { login, network } = old;
  const accounts = carryAccounts(image, login.users, old.hashes, image.shells);
  const members: Member[] = [
    file('etc/passwd', accounts.passwd),
    file('etc/group', accounts.group),
    { path: 'etc/shadow', content: accounts.shadow, mode: 0o640 },
    file('etc/hostname', `${login.hostname}\n`),
    file('etc/hosts', hosts(login.hostname)),
    folder('etc/network/'),
    file('etc/network/interfaces', writeInterfaces(network)),
    file('etc/mactab', writeMacTab(network)),
    file('etc/resolv.conf', writeResolvConf(network)),
    ...(old.localTime === undefined ? [] : [file('etc/localtime', old.localTime)]),
    file('etc/timezone', `${login.timeZone}\n`),
    folder('etc/ssh/'),
    ...[...old.hostKeys].map(([path, content]) => ({
      ...{ path: `etc/ssh/${path.slice(path.lastIndexOf('/') + 1)}`, content },
      mode: path.endsWith('.pub') ? 0o644 : 0o600,
    })),
    ...sshdSettings(image.sshdConfig, login),
    folder('etc/pine/'),
    file('etc/pine/pinectl.toml', follow(image.pinectlToml, following, login.ports[0])),
    file('etc/pine/hijack', formatRecord(record)),
    ...(image.seesLogins ? loginService : []),
    ...switchedOff(image.cloud),
    ...(following.oldSystem === undefined
      ? []
      : [file(`etc/${wishFile}`, `${following.oldSystem}\n`)]),
    folder('etc/pine/keys/'),
    ...following.keys.map((text, index) => file(`etc/pine/keys/hijack-${index + 1}.pub`, text)),
    ...accounts.users.flatMap(({ name, uid, gid, home }) => {
      const keys = old.authorizedKeys.get(name);
      const place = uid === 0 ? 'root' : home.slice(1);
      if (uid !== 0 && !/^\/home\/[^/]+$/.test(home)) return [];
      return [
        ...(uid === 0 ? [] : [{ path: `${place}/`, mode: 0o755, uid, gid }]),
        ...(keys === undefined
          ? []
          : [
              { path: `${place}/.ssh/`, mode: 0o700, uid, gid },
              { path: `${place}/.ssh/authorized_keys`, content: keys, mode: 0o600, uid, gid },
            ]),
      ];
    }),
  ];
  const homeless = accounts.users
    .filter(({ uid, home }) => uid !== 0 && !/^\/home\/[^/]+$/.test(home))
    .map(({ name, home }) => `the home of ${name}, ${home}, is not carried over, nor its keys`);
  return {
    tar: Buffer.concat([...members.map((member) => encode(member, record.time)), tarEnd]),
    paths: members.map(({ path }) => `/${path}`),
    notes: [...accounts.notes, ...homeless],
  };
}

/** Enables the service that sees logins, until the first trial is confirmed. */
const loginService: readonly Member[] = [
  folder('etc/runlevels/default/'),
  { path: 'etc/runlevels/default/pine-first-login', target: '/etc/init.d/pine-first-login' },
];

function hosts(name: string): string {
  const own = name === '' ? '' : `127.0.1.1\t${name}\n`;
  return `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n${own}`;
}

/** Port and root's login as they were. What is read first counts, so the image's own file begins with them. */
function sshdSettings(text: string, login: LoginFacts): Member[] {
  const ports = login.ports.length === 0 ? [22] : login.ports;
  const settings = [
    ...ports.map((port) => `Port ${port}`),
    `PermitRootLogin ${login.permitRootLogin}`,
  ];
  const rest = text.replace(/^(Port|PermitRootLogin)\s/gim, (line) => `#${line}`);
  return [file('etc/ssh/sshd_config', `${settings.join('\n')}\n${rest}`)];
}

/**
 * The image's settings with another remote and ref at their head. Where the image requires no health checks,
 * the network and sshd are: a trial that can't be reached must end in the old system.
 */
function follow(text: string, { remote, ref }: Following, port = 22): string {
  const table = /^\s*\[/m.exec(text)?.index ?? text.length;
  const head = text.slice(0, table).replace(/^\s*(remote|ref)\s*=.*\n?/gm, '');
  const tables = text.slice(table);
  const required = `required = ["default-route", "sshd:${port}"]`;
  const judged = /^\s*required\s*=/m.test(tables)
    ? tables
    : /^\s*\[health\]\s*$/m.test(tables)
      ? tables.replace(/^(\s*\[health\]\s*)$/m, (line) => `${line.trimEnd()}\n${required}\n`)
      : `${tables}\n[health]\n${required}\n`;
  return `remote = ${JSON.stringify(remote)}\nref = ${JSON.stringify(ref)}\n${head}${judged}`;
}
