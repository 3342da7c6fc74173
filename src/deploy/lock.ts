import { readFileSync } from 'node:fs';
import { mkdir, readlink, rename, symlink, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PineError } from '../error.ts';
import type { Lock } from './machine.ts';

/** Takes the lock, as `takeLock`, and tries for so many seconds while another has it. */
export async function waitForLock(path: string, seconds: number): Promise<Lock> {
  for (let left = seconds; ; left -= 1) {
    try {
      return await takeLock(path);
    } catch (error) {
      if (left <= 0 || !(error instanceof PineError) || error.code !== 'STATE_LOCKED') throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

/**
 * Takes the lock at `path`, or throws STATE_LOCKED. The lock is a symlink that names its holder: made in one
 * step, so that it is never half there, and void when its holder or that boot of the machine is gone.
 */
export async function takeLock(path: string): Promise<Lock> {
  await mkdir(dirname(path), { recursive: true });
  const own = holderName(process.pid);
  for (let attempt = 0; attempt < 20; attempt += 1) {
    try {
      await symlink(own, path);
      return { release: () => unlink(path).catch(() => {}) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = await readlink(path).catch(() => undefined);
    if (holder === undefined) continue; // just released
    if (isHeld(holder)) throw locked(path, holder);
    await removeStale(path, holder);
  }
  throw locked(path, 'several others, in turn');
}

/** Removes the lock of a holder that is gone, and only that: another may have taken it over meanwhile. */
async function removeStale(path: string, holder: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  try {
    await rename(path, aside);
    if ((await readlink(aside)) !== holder) await symlink(await readlink(aside), path);
    await unlink(aside);
  } catch {
    // Someone else was faster; the next attempt sees what is there.
  }
}

/** `pid.start.boot`: a process number is used again, so its start time and the boot belong to it. */
function holderName(pid: number): string {
  return `${pid}.${startTime(pid)}.${bootId()}`;
}

function isHeld(holder: string): boolean {
  const pid = Number(/^([0-9]{1,10})\./.exec(holder)?.[1] ?? 0);
  return pid > 0 && startTime(pid) !== undefined && holder === holderName(pid);
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

function locked(path: string, holder: string): PineError {
  return new PineError('STATE_LOCKED', 'another pinectl is at work on this machine', {
    expected: 'to be the only one',
    found: `process ${holder.split('.')[0]}`,
    where: path,
    remedy: 'wait until it has ended',
  });
}
