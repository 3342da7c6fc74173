import type { Host } from './host.ts';

/** A user whose login is carried over. */
export interface LoginUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
  /** Files with keys that let this user in, and how many keys each has. */
  readonly keyFiles: readonly { readonly path: string; readonly keys: number }[];
  /** `none`, `usable`, or `lost`: a hash that Alpine's C library does not know (yescrypt). */
  readonly password: 'none' | 'usable' | 'lost';
}

/** How the machine is reached, and by whom. */
export interface LoginFacts {
  readonly ports: readonly number[];
  /** Files of the host keys that sshd offers. */
  readonly hostKeys: readonly string[];
  /** Whether sshd's effective configuration could be had. */
  readonly sshd: boolean;
  readonly permitRootLogin: string;
  /** root, and the people: accounts from 1000 on with a shell. */
  readonly users: readonly LoginUser[];
  readonly invokingUser: string;
  readonly hostname: string;
  readonly timeZone: string;
}

export async function readLogin(host: Host): Promise<LoginFacts> {
  const context = 'user=root,host=localhost,addr=127.0.0.1';
  const effective = await host.report('sshd', ['-T', '-C', context]);
  const values = (key: string) =>
    (effective ?? '')
      .split('\n')
      .filter((line) => line.startsWith(`${key} `))
      .map((line) => line.slice(key.length + 1));
  const hostKeys: string[] = [];
  for (const path of values('hostkey')) if (await host.exists(path)) hostKeys.push(path);
  const keyPatterns = (values('authorizedkeysfile')[0] ?? '.ssh/authorized_keys').split(/\s+/);
  return {
    ports: values('port').map(Number),
    hostKeys,
    sshd: effective !== undefined,
    permitRootLogin: values('permitrootlogin')[0] ?? 'prohibit-password',
    users: await readUsers(host, keyPatterns),
    invokingUser: host.invokingUser,
    hostname: ((await host.readText('/etc/hostname')) ?? '').trim(),
    timeZone: await readTimeZone(host),
  };
}

async function readTimeZone(host: Host): Promise<string> {
  const path = (await host.resolve('/etc/localtime')) ?? '';
  const name = /\/zoneinfo\/(.+)$/.exec(path)?.[1];
  return name ?? ((await host.readText('/etc/timezone')) ?? 'Etc/UTC').trim();
}

async function readUsers(host: Host, patterns: readonly string[]): Promise<LoginUser[]> {
  const shadow = new Map(
    ((await host.readText('/etc/shadow')) ?? '').split('\n').map((line) => {
      const [name = '', hash = ''] = line.split(':');
      return [name, hash] as const;
    }),
  );
  const users: LoginUser[] = [];
  for (const line of ((await host.readText('/etc/passwd')) ?? '').split('\n')) {
    const [name = '', , uidText, gidText, , home = '', shell = ''] = line.split(':');
    const uid = Number(uidText);
    if (name === '' || !(uid === 0 || (uid >= 1000 && uid < 65_534))) continue;
    if (/\/(nologin|false)$/.test(shell)) continue;
    const keyFiles: { path: string; keys: number }[] = [];
    for (const pattern of patterns) {
      const path = expand(pattern, { name, uid, home });
      const keys = countKeys((await host.readText(path)) ?? '');
      if (keys > 0) keyFiles.push({ path, keys });
    }
    const password = judgePassword(shadow.get(name) ?? '');
    users.push({ name, uid, gid: Number(gidText), home, shell, keyFiles, password });
  }
  return users;
}

/** sshd's tokens: %h, %u, %U, %%. A relative path is one below the home. */
function expand(
  pattern: string,
  user: { readonly name: string; readonly uid: number; readonly home: string },
): string {
  const tokens: Readonly<Record<string, string>> = {
    ...{ h: user.home, u: user.name, U: String(user.uid), '%': '%' },
  };
  const path = pattern.replace(/%([huU%])/g, (_, token: string) => tokens[token] ?? '');
  return path.startsWith('/') ? path : `${user.home}/${path}`;
}

/**
 * Keys of an authorized_keys file that let someone in. A line with a forced command (as cloud images
 * have one for root, which only says to log in as another user) is not one.
 */
export function countKeys(text: string): number {
  const key =
    /(?:^|\s)(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp\d+|sk-\S+@openssh\.com) AAAA[\w+/=]+/;
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !line.startsWith('#') && key.test(line) && !/^[^ ]*command=/.test(line))
    .length;
}

/** musl's crypt knows MD5, Blowfish, SHA-256 and SHA-512, and not yescrypt, which Debian 12 uses. */
function judgePassword(hash: string): LoginUser['password'] {
  if (hash === '' || /^[!*]/.test(hash)) return 'none';
  return /^\$(1|2[abxy]?|5|6)\$/.test(hash) ? 'usable' : 'lost';
}
