import type { CommitFacts } from './commit-facts.ts';
import type { HostFacts } from './survey.ts';

/** What is worth knowing before a take-over, and is in nobody's way. */
export function findWarnings(facts: HostFacts, commit: CommitFacts | undefined): string[] {
  const { network, login, storage } = facts;
  const leased = network.network.interfaces.filter(({ dhcp6 }) => dhcp6);
  const entered = login.users.filter(({ keyFiles }) => keyFiles.length > 0);
  return [
    ...(commit === undefined
      ? ['no commit was named: whether its kernel has the drivers, and its size, are not checked']
      : []),
    ...network.notes.map((text) => `network: ${text}`),
    ...network.network.leftOut.map((text) => `network, not carried over: ${text}`),
    ...leased.map(({ name }) => `network: ${name} has DHCPv6, which Alpine's ifupdown has not`),
    ...network.network.interfaces
      .filter(({ kind }) => kind !== 'ethernet')
      .map(({ name, kind }) => `network, not carried over: ${name}, of the kind ${kind}`),
    ...(login.sshd ? [] : ["sshd's configuration could not be read: port 22 is assumed"]),
    ...(login.hostKeys.length > 0 || !login.sshd
      ? []
      : ['sshd has no host keys: new ones will be made']),
    ...(entered.some(({ name }) => name === login.invokingUser)
      ? []
      : [`${login.invokingUser}, who runs this, has no key to log in with`]),
    ...storage.mounts
      .filter(({ source, mountPoint }) => /^\/dev\//.test(source) && isOther(mountPoint))
      .filter(({ source }) => source !== storage.root?.source)
      .map(({ source, mountPoint }) => `${source} on ${mountPoint} will not be mounted afterwards`),
  ];
}

function isOther(mountPoint: string): boolean {
  return mountPoint !== '/' && !/^\/(boot\/)?efi$/.test(mountPoint);
}

/** What the old system has and the new one will not. */
export function findLosses({ machine, login, services }: HostFacts): string[] {
  const users = login.users.filter(({ password }) => password === 'lost').map(({ name }) => name);
  const shells = login.users.filter(({ shell }) => !/\/(ba|a)?sh$/.test(shell));
  return [
    `${machine.distribution}: its packages, their settings in /etc and their data in /var (the files stay in the shrunk partition until that is wiped)`,
    ...(services.length > 0 ? [`what starts at boot: ${services.join(', ')}`] : []),
    ...(users.length > 0
      ? [`passwords of ${users.join(', ')}: Alpine does not know Debian's yescrypt`]
      : []),
    ...shells.map(({ name, shell }) => `the shell of ${name}, ${shell}, unless the commit has it`),
  ];
}
