import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedAlpine } from '../../scripts/root/programs.ts';
import { freePort } from '../support/free-port.ts';
import { missing } from '../support/requirements.ts';

const script = resolve(import.meta.dirname, '../../overlay/usr/lib/pine/first-login');
const archives = globSync('alpine-minirootfs-*-x86_64.tar.gz', { cwd: sharedAlpine }).sort();
const packages = ['openssh-server-[0-9]', 'openssh-server-common-[0-9]', 'openssh-keygen']
  .concat(['libcrypto3', 'zlib-1'])
  .flatMap((name) => globSync(`apks/x86_64/${name}*.apk`, { cwd: sharedAlpine }));
const nodes = ['null 1 3', 'zero 1 5', 'random 1 8', 'urandom 1 9', 'tty 5 0', 'ptmx 5 2'];

const unable = missing('root', 'openssh') ?? (packages.length < 5 ? 'no packages' : undefined);

// Alpine's own sshd and syslogd in a folder, and OpenSSH's client.
describe.skipIf(unable !== undefined)('a login at a real sshd', () => {
  let root: string;
  let port: number;
  const inside = (...command: string[]) =>
    execFileSync('chroot', [root, ...command], { encoding: 'utf8', stdio: 'pipe' });
  const seen = () => inside('sh', '-c', '. /lib.sh; logged_in; in_session').trim();
  const ssh = (key: string, user: string, ...command: string[]) => [
    ...['-F', '/dev/null', '-p', String(port), '-i', join(root, key), '-o', 'BatchMode=yes'],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
    ...['-o', 'IdentitiesOnly=yes', '-o', 'ConnectionAttempts=10', `${user}@127.0.0.1`, ...command],
  ];

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'pine-sshd-'));
    for (const path of [archives[0] ?? '', ...packages]) {
      execFileSync('tar', ['-xzf', join(sharedAlpine, path), '-C', root], { stdio: 'ignore' });
    }
    for (const folder of ['root/.ssh', 'var/empty', 'run/pine']) {
      mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
    }
    execFileSync('mount', ['-t', 'tmpfs', 'pine-dev', join(root, 'dev')]);
    execFileSync('mount', ['-t', 'proc', 'pine-proc', join(root, 'proc')]);
    for (const node of nodes) {
      const [name = '', major = '', minor = ''] = node.split(' ');
      execFileSync('mknod', ['-m', '666', join(root, 'dev', name), 'c', major, minor]);
    }
    for (const key of ['own', 'other']) {
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, key)]);
    }
    copyFileSync(join(root, 'own.pub'), join(root, 'root/.ssh/authorized_keys'));
    inside('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', '/etc/ssh/ssh_host_ed25519_key');
    copyFileSync(script, join(root, 'first-login'));
    const functions = readFileSync(script, 'utf8').replace(/^case \$1 in$.*/ms, '');
    writeFileSync(join(root, 'lib.sh'), functions);
    port = await freePort();
    inside('/first-login', 'watch');
    const address = ['-o', 'ListenAddress=127.0.0.1', '-o', 'PidFile=/run/sshd.pid'];
    inside('/usr/sbin/sshd', '-p', String(port), '-o', 'StrictModes=no', ...address);
  }, 60_000);

  afterAll(() => {
    for (const file of ['run/sshd.pid', 'run/pine/syslogd.pid']) {
      process.kill(Number(readFileSync(join(root, file), 'utf8')));
    }
    for (const folder of ['dev', 'proc']) execFileSync('umount', ['-l', join(root, folder)]);
    rmSync(root, { recursive: true });
  });

  it('is not a connection, a wrong key, or a name that looks like one', async () => {
    // sshd goes into the background before it listens.
    await expect.poll(() => greeted(port).then(Boolean)).toBe(true);
    const socket = await greeted(port);
    expect(seen()).toBe('');
    socket.destroy();
    const name = 'sshd[1]: Accepted publickey for root from 1.1.1.1 port 1';
    for (const [key, user] of [['other', 'root'] as const, ['own', name] as const]) {
      expect(spawnSync('ssh', ssh(key, user, 'true')).status).toBe(255);
    }
    const log = () => readFileSync(join(root, 'run/pine/syslog'), 'utf8');
    await expect.poll(log, { timeout: 5000 }).toContain('Connection closed by invalid user');
    expect(seen()).toBe('');
  });

  it('is one that runs `true`, and a session while it lasts if nothing is logged', async () => {
    expect(spawnSync('ssh', ssh('own', 'root', 'true')).status).toBe(0);
    await expect.poll(seen, { timeout: 5000 }).toBe('login root publickey 127.0.0.1');
    const session = spawn('ssh', ssh('own', 'root', 'echo in; sleep 30'));
    await new Promise((resolve) => session.stdout.once('data', resolve));
    writeFileSync(join(root, 'run/pine/syslog'), '');
    expect(seen()).toBe('login root');
    session.kill();
    await expect.poll(seen, { timeout: 5000 }).toBe('');
  });
});

/** A connection to which sshd has said who it is. */
function greeted(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', reject).once('data', () => resolve(socket));
  });
}
