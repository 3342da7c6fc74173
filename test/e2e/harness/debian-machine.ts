import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { projectFolder, run } from '../../../scripts/root/programs.ts';
import type { Status } from '../../../src/deploy/status.ts';
import { freePort } from '../../support/free-port.ts';
import { missing } from '../../support/requirements.ts';
import { type DebianServer, makeDebianDisk, putOnDebian } from './debian-disk.ts';
import { ipv6Network } from './debian-network.ts';
import { copyDisk } from './lab.ts';
import { Machine } from './machine.ts';
import { pinectl } from './pinectl.ts';
import { refOf } from './release.ts';
import { serveFolder } from './web-server.ts';

const { folder = '/nowhere', skipped } = inject('e2e');

/** Whether everything is run, which takes hours where machines are emulated. */
export const isFullRun = process.env.PINE_FULL === '1';
/** Why there can be no Debian here that is taken over, or undefined. */
export const unableToMakeDebian = skipped ?? missing('mmdebstrap', 'openssh', 'strip', 'root');
/** Why there is none in this run, but the one that is in every run (hijack-faults.test.ts); or undefined. */
export const unableToTakeOver = isFullRun
  ? unableToMakeDebian
  : 'skipped: more take-overs, which take hours, are for a full run: PINE_FULL=1';
if (!isFullRun) console.warn(unableToTakeOver);
const single = join(projectFolder, 'dist/pinectl-linux-x64');

/** A Debian server in QEMU, with pinectl as one file on it, and a repository of its own. */
export class DebianMachine {
  machine: Machine;
  readonly command: string;
  readonly work: string;
  readonly #sshPort: number;
  readonly #web: Awaited<ReturnType<typeof serveFolder>>;

  private constructor(
    machine: Machine,
    work: string,
    sshPort: number,
    web: Awaited<ReturnType<typeof serveFolder>>,
    command: string,
  ) {
    this.machine = machine;
    this.work = work;
    this.#sshPort = sshPort;
    this.#web = web;
    this.command = command;
  }

  /** Makes the server and waits until it is up. The remote has v1, or another release. */
  static async start(
    name: string,
    options: Partial<DebianServer> & {
      memory: number;
      release?: string;
      /** What confirms pine besides its health checks: by default nothing more is needed. */
      confirmation?: string;
      /** Keeps the disk as it was before, and every write to it: `before.img` and `writes` in `work`. */
      record?: boolean;
    },
  ): Promise<DebianMachine> {
    const { memory, release = 'server', confirmation = '--confirm-after 0', ...others } = options;
    const { record = false, ...debian } = others;
    const work = join(folder, 'runs', name);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    if (!existsSync(single)) await run('npm', ['run', '--silent', 'build:single'], projectFolder);
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(work, 'login')]);
    const loginKey = readFileSync(join(work, 'login.pub'), 'utf8').trim();
    const disk = join(work, 'disk.img');
    await makeDebianDisk(disk, { hostName: 'debian-vps', loginKey, table: 'mbr', ...debian });
    await putOnDebian(disk, single, '/usr/local/bin/pinectl', '0755');
    await putOnDebian(disk, join(folder, 'release.pub'), '/root/release.pub');
    // Hard links to the objects, and refs of its own
    await run('cp', ['-al', join(folder, 'repo'), join(work, 'repo')]);
    rmSync(join(work, 'repo/refs'), { recursive: true });
    cpSync(join(folder, 'repo/refs'), join(work, 'repo/refs'), { recursive: true });
    const sshPort = await freePort();
    const web = await serveFolder(join(work, 'repo'));
    if (record) await copyDisk(disk, join(work, 'before.img'));
    const machine = await Machine.start({
      ...{ memory, disk, firmware: options.firmware ?? 'bios', ipv6: ipv6Network },
      ...(record ? { writeLog: join(work, 'writes') } : {}),
      forward: { port: sshPort, to: '10.0.2.15:22' },
    });
    const server = new DebianMachine(
      machine,
      work,
      sshPort,
      web,
      [
        ...[`pinectl hijack --remote http://10.0.2.2:${web.port} --ref ${refOf(release)}`],
        ...['--key /root/release.pub', confirmation],
      ].join(' '),
    );
    await server.publish('v1');
    await machine.waitForBoot({ seconds: 600 });
    return server;
  }

  /** Lets the ref that is followed name the release with this subject. */
  async publish(version: 'v1' | 'v2'): Promise<void> {
    const repository = join(folder, 'repo');
    const name = version === 'v1' ? `${refOf('server')}^` : refOf('server');
    const commit = await pinectl('rev-parse', '--repo', repository, name);
    const file = join(this.work, 'repo/refs/heads', refOf('server'));
    rmSync(file);
    writeFileSync(file, `${commit.trim()}\n`);
  }

  /** Prepares the take-over, with more options, and tells how long that took. */
  async stage(...options: readonly string[]): Promise<void> {
    const started = Date.now();
    const said = await this.machine.check([this.command, ...options].join(' '), 900);
    console.log(`e2e: staged in ${Math.round((Date.now() - started) / 1000)} s`);
    const kexec = options.includes('--kexec');
    expect(said).toContain(
      kexec ? '`systemctl kexec` starts it' : 'The next boot starts the installer, once',
    );
  }

  /** Waits until something is mounted there, or no longer: what boot-complete does in the background. */
  async waitForMount(place: string, seconds = 120): Promise<string> {
    const command = `for i in $(seq ${seconds}); do grep " ${place} " /proc/mounts && break; sleep 1; done`;
    return this.machine.check(command, seconds + 60);
  }

  /** Cuts the power, and switches on again. */
  async switchOnAgain(): Promise<void> {
    await this.machine.kill();
    rmSync(`${this.machine.options.disk}.console`);
    this.machine = await Machine.start(this.machine.options);
  }

  async status(): Promise<Status> {
    return JSON.parse(await this.machine.check('pinectl status --json'));
  }

  /** Waits until pine is confirmed. */
  async confirmed(seconds = 180): Promise<void> {
    const busy = 'pgrep -f "pinectl boot-complete|first-login await" >/dev/null';
    const done = `[ -e /run/pine/confirmed ] && ! ${busy}`;
    await this.machine.check(`until ${done}; do sleep 1; done`, seconds);
  }

  /** Runs a command over SSH, with the key that the user had on Debian, if the host key is that of Debian. */
  async ssh(user: string, hostKey: string, command: string): Promise<string> {
    const known = join(this.work, 'known_hosts');
    writeFileSync(known, `[127.0.0.1]:${this.#sshPort} ${hostKey}\n`);
    return run('ssh', [
      ...['-i', join(this.work, 'login'), '-p', String(this.#sshPort), '-o', 'BatchMode=yes'],
      ...['-o', `UserKnownHostsFile=${known}`, '-o', 'HostKeyAlgorithms=ssh-ed25519'],
      ...['-o', 'ConnectTimeout=60', '-o', 'IdentitiesOnly=yes', `${user}@127.0.0.1`, command],
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine.kill();
    await this.#web.close();
    if (process.env.PINE_E2E_FOLDER === undefined) rmSync(this.work, { recursive: true });
  }
}
