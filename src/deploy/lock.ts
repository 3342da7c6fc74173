import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PineError } from '../error.ts';
import type { Lock } from './machine.ts';

/** Two that start in the same moment see each other and both step back: they try again, apart. */
const attempts = 8;

/** Takes the lock, as `takeLock`, and tries for so many seconds while another has it. */
export async function waitForLock(folder: string, seconds: number): Promise<Lock> {
  for (let left = seconds; ; left -= 1) {
    try {
      return await takeLock(folder);
    } catch (error) {
      if (left <= 0 || !(error instanceof PineError) || error.code !== 'STATE_LOCKED') throw error;
      await sleep(1000);
    }
  }
}

/**
 * Takes the lock that `folder` is, or throws STATE_LOCKED.
 *
 * Whoever wants it puts a file of its own into the folder and then looks for others: of two, one at least sees
 * the other. A file whose process is gone is left over and removed. Names are never used twice, so the file of
 * a living process can't be taken for one of those.
 */
export async function takeLock(folder: string): Promise<Lock> {
  await mkdir(folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const own = `${processName(process.pid)}.${randomBytes(8).toString('hex')}`;
    await writeFile(join(folder, own), '', { flag: 'wx' });
    const release = () => rm(join(folder, own), { force: true });
    const other = await findHolder(folder, own);
    if (other === undefined) return { release };
    await release();
    if (attempt === attempts) throw locked(folder, other);
    await sleep(5 + Math.random() * 30 * attempt);
  }
}

async function findHolder(folder: string, own: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    if (name === own) continue;
    if (isAlive(name)) return name;
    await rm(join(folder, name), { force: true });
  }
  return undefined;
}

/** `pid.start.boot`: a process number is used again, so its start time and the boot belong to it. */
function processName(pid: number): string {
  return `${pid}.${startTime(pid)}.${bootId()}`;
}

function isAlive(name: string): boolean {
  const pid = Number(/^([0-9]{1,10})\./.exec(name)?.[1] ?? 0);
  return startTime(pid) !== undefined && name.startsWith(`${processName(pid)}.`);
}

/** Field 22 of /proc/PID/stat, counted behind the name, which may hold anything. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return 'unknown';
  }
}

function locked(folder: string, holder: string): PineError {
  return new PineError('STATE_LOCKED', 'another pinectl is at work on this machine', {
    expected: 'to be the only one',
    found: `process ${holder.split('.')[0]}`,
    where: folder,
    remedy: 'wait until it has ended',
  });
}
