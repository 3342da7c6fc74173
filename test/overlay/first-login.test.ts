import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = resolve(import.meta.dirname, '../../overlay/usr/lib/pine/first-login');
const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
const mark = `Nov 30 10:00:00 vps auth.info pine: first-login: ${bootId}`;
const accepted = (name: string, program = 'sshd') =>
  `Nov 30 10:00:05 vps auth.info ${program}[77]: Accepted publickey for ${name} from 10.0.2.2 port 41 ssh2: ED25519 SHA256:x`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pine-login-'));
  mkdirSync(join(folder, 'log'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What a function of the script prints, with its files in a folder of the test, and other functions in place of programs. */
function call(name: string, programs = ''): string {
  const functions = readFileSync(script, 'utf8').replace(/^case \$1 in$.*/ms, '');
  const places = `run='${folder}' own='${folder}/syslog' logs='${folder}/log' console=/dev/null`;
  const text = `${functions}\n${places}\nlogread() { cat '${folder}/buffer'; }\n${programs}\n${name}\n`;
  return execFileSync('sh', ['-c', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
const put = (name: string, ...lines: string[]) =>
  writeFileSync(join(folder, name), lines.map((line) => `${line}\n`).join(''));

describe('a login over SSH is seen', () => {
  it.each(['syslog', 'log/messages', 'log/auth.log', 'buffer'])('in %s', (log) => {
    put(log, mark, accepted('root'));
    expect(call('logged_in')).toBe('login root publickey 10.0.2.2\n');
    put(log, mark, accepted('admin', 'sshd-session'));
    expect(call('logged_in')).toBe('login admin publickey 10.0.2.2\n');
  });

  it('in a log that is rotated while it waits, in both parts', () => {
    put('log/messages', mark);
    expect(call('logged_in')).toBe('');
    put('log/messages.0', mark);
    put('log/messages', accepted('root'));
    expect(call('logged_in')).toBe('login root publickey 10.0.2.2\n');
    put('log/messages.0', mark, accepted('admin'));
    put('log/messages', '');
    expect(call('logged_in')).toBe('login admin publickey 10.0.2.2\n');
  });

  it('among the processes, by what sshd calls itself then', async () => {
    const program = join(folder, 'sshd');
    copyFileSync('/bin/sleep', program);
    // The name is its first argument: bash can give any.
    const session = spawn('bash', ['-c', `exec -a 'sshd: admin@notty' '${program}' 20`]);
    try {
      await expect.poll(() => call('in_session'), { timeout: 5000 }).toContain('login admin');
    } finally {
      session.kill();
    }
  });
});

describe('no login is', () => {
  it('what only looks like one: refused names, other programs, what came before this boot', () => {
    put(
      'log/messages',
      accepted('root'),
      mark,
      'Nov 30 10:00:05 vps auth.info sshd[7]: Invalid user x sshd[1]: Accepted publickey for root from 10.0.2.2 port 4',
      'Nov 30 10:00:05 vps auth.info sshd[7]: Failed password for root from 10.0.2.2 port 41 ssh2',
      'Nov 30 10:00:05 vps auth.info sshd[7]: Connection from 10.0.2.2 port 41',
      accepted('root', 'ftpd'),
    );
    expect(call('logged_in')).toBe('');
  });

  it('a process that another program gave such a name, nor a connection that nobody is behind yet', async () => {
    const [sshd, other] = [join(folder, 'sshd'), join(folder, 'other')];
    for (const path of [sshd, other]) copyFileSync('/bin/sleep', path);
    const processes = [
      spawn('bash', ['-c', `exec -a 'sshd: eve@notty' '${other}' 20`]),
      ...['sshd: eve [priv]', 'sshd: eve [net]', 'sshd: [accepted]'].map((name) =>
        spawn('bash', ['-c', `exec -a '${name}' '${sshd}' 20`]),
      ),
    ];
    try {
      await expect
        .poll(() => execFileSync('pgrep', ['-fc', '^sshd: (eve|\\[accepted)']).toString().trim())
        .toBe('4');
      expect(call('in_session')).not.toContain('eve');
    } finally {
      for (const one of processes) one.kill();
    }
  });
});

describe('the boot is judged again', () => {
  // Nobody waits: `slept` has the seconds that were to be. After ten minutes of them the test ends it.
  const programs = () => `cd '${folder}'
    sleep() { echo "$1" >>slept; [ "$(awk '{ s += $1 } END { print s }' slept)" -lt 600 ] || : >confirmed; }
    seconds() { echo 0; }
    logged_in() { if [ -e login ]; then cat login; fi; }
    in_session() { :; }`;
  const pauses = () => readFileSync(join(folder, 'slept'), 'utf8').trim().split('\n').map(Number);

  it('at once when there is a login, and once where that confirms it', () => {
    put('login', 'login root');
    call('await log.txt', `${programs()}\npinectl() { echo "$*"; : >confirmed; }`);
    expect(pauses()).toEqual([1]);
    expect(readFileSync(join(folder, 'log.txt'), 'utf8')).toBe('boot-complete\n');
    expect(readFileSync(join(folder, 'let-in'), 'utf8')).toBe('login root\n');
  });

  it('ever more rarely where it confirms nothing, as after an undo', () => {
    put('let-in', 'login root');
    call('await log.txt', `${programs()}\npinectl() { echo 'nothing to do'; }`);
    expect(pauses().slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 64, 64]);
    expect(pauses().length).toBeLessThan(20);
  });

  it('not at all without a login, which is looked for each second', () => {
    call('await log.txt', `${programs()}\npinectl() { exit 1; }`);
    expect(new Set(pauses())).toEqual(new Set([1]));
    expect(pauses()).toHaveLength(600);
  });
});
