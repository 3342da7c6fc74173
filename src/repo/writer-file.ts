import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Repository } from './repository.ts';

/** The one pinectl that writes to a repository has this file; it is gone when `release` was called. */
export interface WriterFile {
  release(): Promise<void>;
}

/** Two that start in the same moment see each other and both step back: try again, apart. */
const attempts = 5;

/**
 * Becomes the only pinectl that writes to a repository. Gives the path of another one's file when that one does.
 *
 * Every writer makes a file of its own, `state/pine-PROCESS.lock`, and then looks for others: of two,
 * one at least sees the other. A file whose process is gone is left over (a kill, a power cut) and
 * removed; names are never used twice, so a living one can't be removed by mistake.
 */
export async function takeWriterFile(repository: Repository): Promise<WriterFile | string> {
  const folder = join(repository.path, 'state');
  await mkdir(folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const mine = `${lockName(processIdentity())}`;
    await writeFile(join(folder, mine), '', { flag: 'wx' });
    const other = await findHolder(folder, mine);
    if (other === undefined) return { release: () => rm(join(folder, mine), { force: true }) };
    await rm(join(folder, mine), { force: true });
    if (attempt === attempts) return join(folder, other);
    await sleep(20 + Math.random() * 60 * attempt);
  }
}

/** The process that made a file, as people read it. */
export function writerOf(path: string): string {
  const [host, , , pid] = path.slice(path.lastIndexOf('/pine-') + 6).split('~');
  return `process ${pid} on ${host}`;
}

/** What tells a process from every other one, also from one that gets its pid later. */
interface ProcessIdentity {
  readonly pid: number;
  /** The kernel's start time of the process, in ticks since boot. */
  readonly started: string;
  readonly boot: string;
  /** The pid namespace: pids of another one (a container) say nothing here. */
  readonly namespace: string;
  readonly host: string;
}

async function findHolder(folder: string, mine: string): Promise<string | undefined> {
  for (const name of await readdir(folder)) {
    if (!/^pine-.*\.lock$/.test(name) || name === mine) continue;
    if (isLeftOver(name)) await rm(join(folder, name), { force: true });
    else return name;
  }
  return undefined;
}

function isLeftOver(name: string): boolean {
  const here = processIdentity();
  const [host, boot, namespace, pid, started] = name.slice('pine-'.length).split('~');
  if (host !== here.host) return false;
  if (boot !== here.boot) return true;
  if (namespace !== here.namespace) return false;
  return startTime(Number(pid)) !== started;
}

function lockName({ host, boot, namespace, pid, started }: ProcessIdentity): string {
  const once = randomBytes(4).toString('hex');
  return `pine-${[host, boot, namespace, pid, started, once].join('~')}.lock`;
}

function processIdentity(): ProcessIdentity {
  return {
    pid: process.pid,
    started: startTime(process.pid) ?? '0',
    boot: readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().slice(0, 8),
    namespace: readlinkSync('/proc/self/ns/pid').replace(/\D/g, ''),
    host: hostname().replace(/[^-.\w]/g, '_'),
  };
}

/** Field 22 of /proc/PID/stat; the name before it may hold spaces. `undefined`: no such process. */
function startTime(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
