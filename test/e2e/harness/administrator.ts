import type { Lab } from './lab.ts';
import type { SshClient } from './ssh.ts';

/** Where the administrator's network settings put the machine; the image ships 10.0.2.15. */
export const address = '10.0.2.77';

/** What an administrator does to a new server, as root. */
export async function setUp({ machine }: Lab, ssh: SshClient): Promise<void> {
  const config = '/etc/ssh/sshd_config';
  await machine.check(
    [
      'set -e',
      `sed -i 's/^#MaxAuthTries 6$/MaxAuthTries 4/' ${config}`,
      'adduser -D anna && addgroup anna wheel',
      "printf 'root:correct horse\\nanna:battery staple\\n' | chpasswd 2>&1",
      'for home in /root ~anna; do',
      '  mkdir -m 700 -p $home/.ssh',
      `  echo '${ssh.publicKey}' >$home/.ssh/authorized_keys`,
      'done',
      'chown -R anna:anna ~anna',
      'rc-update -q add syslog boot && rc-service -q syslog start',
      'echo web1 >/etc/hostname && hostname web1',
    ].join('\n'),
  );
  await machine.check(
    `sed -i 's/10[.]0[.]2[.]15/${address}/' /etc/network/interfaces
     rc-service -q networking restart && rc-service -q sshd restart`,
  );
  ssh.trust(await machine.check('cat /etc/ssh/ssh_host_ed25519_key.pub'));
}

/**
 * What is to be the same after each upgrade and each way back, as a login by key finds it: network, host name, accounts with
 * their passwords and groups, what runs. By the host's ssh, which takes no other host key.
 */
export async function findings(ssh: SshClient): Promise<string> {
  const root = await ssh.run(
    'root',
    `hostname; cat /etc/hostname; ip -4 -o addr show eth0 | awk '{ print $4 }'
     grep -E '^(root|anna):' /etc/passwd /etc/shadow; grep -E '^(wheel|anna):' /etc/group
     stat -c '%a %U:%G %n' /etc/shadow /home/anna/.ssh/authorized_keys
     rc-service syslog status; ls /etc/runlevels/boot/syslog; sha256sum /etc/ssh/ssh_host_*`,
  );
  return `${root}\n${await ssh.run('anna', 'id')}`;
}

/** What the SSH server goes by, of what administrator or release have changed: `clientaliveinterval 300, maxsessions 7`. */
export async function sshSettings(ssh: SshClient): Promise<string> {
  const names = 'maxauthtries|logingracetime|maxsessions|clientaliveinterval';
  const lines = await ssh.run('root', `sshd -T | grep -E '^(${names}) ' | sort`);
  return lines.replaceAll('\n', ', ');
}

/** Sets one line of sshd_config, and has it on the disk: what is not written may go with the power. */
export async function editSshd({ machine }: Lab, from: string, to: string): Promise<void> {
  const config = '/etc/ssh/sshd_config';
  await machine.check(`sed -i 's/^${from}$/${to}/' ${config} && grep -x '${to}' ${config} && sync`);
}
