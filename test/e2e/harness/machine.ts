import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type CommandResult, Control } from './control.ts';
import { hasKvm } from './kvm.ts';

export interface MachineOptions {
  /** A raw disk image, which the machine changes. */
  readonly disk: string;
  /** MiB. */
  readonly memory: number;
  readonly firmware?: 'bios' | 'uefi';
  /** Adds an i6300esb, which resets the machine when it fires. */
  readonly watchdog?: boolean;
  /** What its clock says when it is switched on, as `2020-01-01T00:00:00`; by default the time of day. */
  readonly clock?: string;
  /** Leads a port of the host's loopback to one of the guest. */
  readonly forward?: { readonly port: number; readonly to: string };
  /** The network that the guest is on with IPv6, in place of QEMU's own. */
  readonly ipv6?: string;
  /** Keeps every write to the disk in this file too, as write-log.ts reads it. */
  readonly writeLog?: string;
  /** The disk stays as it is: what the machine writes goes when it is switched off. */
  readonly snapshot?: boolean;
}

const running = new Set<ChildProcess>();
// QEMU also dies with this process when that is killed: see setpriv below.
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/**
 * A virtual machine in QEMU, which is never restarted by the harness unless a test asks for it.
 *
 * The guest reaches the host's loopback at 10.0.2.2. Its console is logged beside the disk.
 */
export class Machine {
  readonly options: MachineOptions;
  readonly #control: Control;
  readonly #process: ChildProcess;
  readonly #exited: Promise<void>;
  #seen = 0; // boots that were waited for

  private constructor(options: MachineOptions, control: Control, child: ChildProcess) {
    this.options = options;
    this.#control = control;
    this.#process = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    running.add(child);
    child.once('exit', () => running.delete(child));
  }

  /** Switches the machine on. It is not up yet: see `waitForBoot`. */
  static async start(options: MachineOptions): Promise<Machine> {
    const socket = `${options.disk}.control`;
    rmSync(socket, { force: true });
    const control = await Control.listen(socket);
    const child = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', 'qemu-system-x86_64', ...qemuArguments(options, socket)],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    child.stderr?.on('data', (bytes) => process.stderr.write(`qemu: ${bytes}`));
    return new Machine(options, control, child);
  }

  /** How often a system of this machine has come up since it was switched on. */
  get boots(): number {
    return this.#control.boots.length;
  }

  /** Everything that the console has shown. */
  get console(): string {
    const path = consolePath(this.options);
    return existsSync(path) ? readFileSync(path, 'latin1') : '';
  }

  /**
   * Waits until a system has come up that was not waited for before, in `slot` if that is given, and
   * until pine has judged that boot. A system that is not pine has the slot `''`. `after` so many boots, which are not looked at: they end by themselves.
   */
  async waitForBoot({
    seconds = 300,
    slot,
    after = 0,
  }: {
    seconds?: number;
    slot?: 'a' | 'b' | '';
    after?: number;
  } = {}) {
    const what = `a boot${slot === undefined ? '' : ` of slot ${slot}`}`;
    this.#seen = await this.#within(seconds, this.#control.booted(this.#seen + after, slot), what);
    await this.check(
      "while pgrep -f 'pinectl boot-complete' >/dev/null; do sleep 1; done",
      seconds,
    );
  }

  /** Waits until the console has shown something. */
  async waitForConsole(pattern: RegExp, seconds = 120): Promise<void> {
    const end = Date.now() + seconds * 1000;
    while (!pattern.test(this.console)) {
      if (Date.now() > end) throw this.#failure(`${pattern} on the console in ${seconds} s`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Runs a shell script as root in the guest. */
  async run(script: string, seconds = 120): Promise<CommandResult> {
    return await this.#within(seconds, this.#control.run(script), `an answer to: ${script}`);
  }

  /** Runs a shell script that has to succeed, and gives its output without the last newline. */
  async check(script: string, seconds = 120): Promise<string> {
    const { status, output } = await this.run(script, seconds);
    if (status !== 0) throw this.#failure(`success of: ${script}\nstatus ${status}: ${output}`);
    return output.trimEnd();
  }

  /** Starts a script whose answer is not waited for: the machine goes down meanwhile. */
  send(script: string): void {
    void this.#control.run(script);
  }

  /** Shuts down in order and waits for the machine to be off. */
  async powerOff(seconds = 90): Promise<void> {
    this.send('poweroff');
    await this.#within(seconds, this.#exited, 'power off');
    this.#control.close();
  }

  /** Cuts the power. */
  async kill(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exited;
    this.#control.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async #within<T>(seconds: number, work: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(this.#failure(`${what} in ${seconds} s`)), seconds * 1000);
    });
    const gone = this.#exited.then(() => {
      if (what === 'power off') return undefined as never;
      throw this.#failure(`${what}, but QEMU has ended`);
    });
    gone.catch(() => {});
    try {
      return await Promise.race([work, late, gone]);
    } finally {
      clearTimeout(timer);
    }
  }

  #failure(expected: string): Error {
    const lines = this.console.replaceAll('\r', '').split('\n').slice(-40).join('\n');
    return new Error(`expected ${expected}\nThe console's last lines:\n${lines}`);
  }
}

function consolePath(options: MachineOptions): string {
  return `${options.disk}.console`;
}

/**
 * Emulated, a modern processor is a slow one: its kernel clears pages byte by byte (ERMS), and OpenSSL
 * hashes with AVX. The buffer for translated code is small because QEMU 7.2 walks a list at each write
 * to a page with such code: with the standard 1 GB, lists grew until a kernel stood still for minutes.
 */
function qemuArguments(options: MachineOptions, control: string): string[] {
  const firmware: string[] = [];
  if (options.firmware === 'uefi') {
    const variables = `${options.disk}.vars`;
    // It keeps its variables, and with them its boot entries, until a test removes them.
    if (!existsSync(variables)) copyFileSync('/usr/share/OVMF/OVMF_VARS_4M.fd', variables);
    firmware.push(
      ...drive('pflash', 0, '/usr/share/OVMF/OVMF_CODE_4M.fd,readonly=on'),
      ...drive('pflash', 1, variables),
    );
  }
  return [
    ...(hasKvm()
      ? ['-accel', 'kvm', '-cpu', 'host']
      : ['-accel', 'tcg,thread=multi,tb-size=64', '-cpu', 'qemu64']),
    ...['-m', String(options.memory), '-display', 'none', '-nodefaults', '-vga', 'std'],
    ...firmware,
    ...disk(options),
    ...['-device', 'virtio-blk-pci,drive=disk'],
    ...[
      '-netdev',
      `user,id=net${networkOptions(options)}`,
      '-device',
      'virtio-net-pci,netdev=net,romfile=',
    ],
    ...['-chardev', `file,id=console,path=${consolePath(options)},append=on`],
    ...['-serial', 'chardev:console'],
    ...['-chardev', `socket,id=control,path=${control}`, '-serial', 'chardev:control'],
    ...(options.clock ? ['-rtc', `base=${options.clock}`] : []),
    ...(options.watchdog ? ['-device', 'i6300esb', '-action', 'watchdog=reset'] : []),
  ];
}

/** What the guest flushed need not reach this host's disk: tests kill QEMU, not the host. */
function disk({ disk, writeLog, snapshot }: MachineOptions): string[] {
  if (writeLog === undefined) {
    const overlay = snapshot === true ? ',snapshot=on' : '';
    return ['-drive', `file=${disk},format=raw,if=none,id=disk,cache=unsafe${overlay}`];
  }
  if (!existsSync(writeLog)) writeFileSync(writeLog, '');
  const file = (role: string, path: string) =>
    `${role}.driver=file,${role}.filename=${path},${role}.cache.no-flush=on`;
  const options = [file('file', disk), file('log', writeLog), 'log-super-update-interval=1'];
  return ['-blockdev', `driver=blklogwrites,node-name=disk,${options.join()}`];
}

/** A part of a network's description: its IPv6, and connections to a port of the host that go to the guest. */
function networkOptions({ forward, ipv6 }: MachineOptions): string {
  return [
    ...(ipv6 === undefined ? [] : [`,ipv6-net=${ipv6}`]),
    ...(forward === undefined ? [] : [`,hostfwd=tcp:127.0.0.1:${forward.port}-${forward.to}`]),
  ].join('');
}

function drive(kind: string, unit: number, file: string): string[] {
  return ['-drive', `if=${kind},format=raw,unit=${unit},file=${file}`];
}
