import { spawn } from 'node:child_process';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface QemuRun {
  readonly disk: string;
  readonly firmware?: 'bios' | 'uefi';
  /** The machine can read its disk, and not write it. */
  readonly readOnly?: boolean;
  /** Makes the machine's clock run by its instructions, a thousand times too fast: a minute is soon over. */
  readonly fastClock?: boolean;
  readonly timeoutSeconds?: number;
}

export interface QemuResult {
  /** What the serial console said, without escape sequences. */
  readonly console: string;
  /** `exit`: the machine shut down or asked for a reset. */
  readonly end: 'exit' | 'timeout';
}

/** At most two machines at a time, however many tests run together. */
let free = 2;
const waiting: (() => void)[] = [];

async function enter(): Promise<void> {
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
}

function leave(): void {
  const next = waiting.shift();
  if (next === undefined) free += 1;
  else next();
}

/** Starts a machine from a disk and waits until it resets or takes too long. */
export async function runQemu(run: QemuRun): Promise<QemuResult> {
  await enter();
  const folder = await mkdtemp(join(tmpdir(), 'pine-qemu-'));
  try {
    return await start(run, await machineArguments(run, folder));
  } finally {
    leave();
    await rm(folder, { recursive: true, force: true });
  }
}

async function machineArguments(run: QemuRun, folder: string): Promise<string[]> {
  const readOnly = run.readOnly ? ',readonly=on' : '';
  const args = [
    ...(run.fastClock ? ['-accel', 'tcg,thread=single', '-icount', 'shift=10,sleep=off'] : []),
    ...(run.fastClock ? [] : ['-accel', 'tcg,thread=multi']),
    ...['-cpu', 'max', '-display', 'none', '-no-reboot'],
    ...['-monitor', 'none', '-serial', 'stdio', '-nic', 'none', '-vga', 'none'],
    ...['-drive', `file=${run.disk},format=raw,if=virtio${readOnly}`],
  ];
  if (run.firmware !== 'uefi') return ['-m', '64', ...args];
  const variables = join(folder, 'vars.fd');
  await copyFile('/usr/share/OVMF/OVMF_VARS_4M.fd', variables);
  const flash = 'if=pflash,format=raw';
  return [
    ...['-m', '256', ...args],
    ...['-drive', `${flash},unit=0,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd`],
    ...['-drive', `${flash},unit=1,file=${variables}`],
  ];
}

function start(run: QemuRun, args: string[]): Promise<QemuResult> {
  return new Promise((resolve, reject) => {
    const qemu = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => qemu.kill('SIGKILL');
    process.once('exit', kill);
    let output = '';
    let end: QemuResult['end'] = 'exit';
    const stop = () => {
      end = 'timeout';
      kill();
    };
    const timer = setTimeout(stop, (run.timeoutSeconds ?? 90) * 1000);
    const hear = (chunk: Buffer) => {
      output += chunk.toString('latin1');
    };
    qemu.stdout.on('data', hear);
    qemu.stderr.on('data', hear);
    qemu.on('error', reject);
    qemu.on('close', () => {
      clearTimeout(timer);
      process.off('exit', kill);
      resolve({ console: plain(output), end });
    });
  });
}

/** Without the escape sequences that GRUB's terminal sends. */
function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one
  return text.replace(/\x1b(\[[0-9;?=]*[A-Za-z]|c)/g, '').replace(/\r/g, '');
}
