import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../root/programs.ts';
import { CannotMeasure } from './measurement.ts';
import { runProgram } from './timed.ts';

const cgroups = '/sys/fs/cgroup/memory';

/** A memory cgroup without swap; what its processes have in the page cache counts. */
export class MemoryGroup {
  readonly #path: string;

  /** `limit` is in bytes. Throws CannotMeasure where there are no such groups. */
  constructor(limit: number) {
    if (process.getuid?.() !== 0 || !existsSync(`${cgroups}/memory.memsw.limit_in_bytes`)) {
      throw new CannotMeasure('no memory cgroups (version 1) that this user may make');
    }
    this.#path = join(cgroups, `pine-bench-${process.pid}`);
    mkdirSync(this.#path);
    for (const file of ['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes']) {
      writeFileSync(join(this.#path, file), String(limit));
    }
  }

  /** The command line that runs another one in the group. */
  inside(command: readonly string[]): readonly [string, ...string[]] {
    const enter = 'echo $$ >"$0/cgroup.procs" && exec "$@"';
    return ['sh', '-c', enter, this.#path, ...command];
  }

  /** Bytes that were in use at the most since the last `reset`. */
  get most(): number {
    return Number(readFileSync(join(this.#path, 'memory.max_usage_in_bytes'), 'utf8'));
  }

  reset(): void {
    writeFileSync(join(this.#path, 'memory.max_usage_in_bytes'), '0');
  }

  remove(): void {
    writeFileSync(join(this.#path, 'memory.force_empty'), '0');
    rmdirSync(this.#path);
  }
}

/** Starts Node.js as /usr/bin/pinectl does, with its settings and its environment. */
export function asOnMachine(node: string, args: readonly string[]): readonly [string, ...string[]] {
  const script = readFileSync(join(projectFolder, 'overlay/usr/bin/pinectl'), 'utf8');
  const isUpgrade = args.includes('upgrade');
  const start = isUpgrade ? /^upgrade\)\n\texec node ((?:--\S+ )+)/m : /^exec node ((?:--\S+ )+)/m;
  const settings = start.exec(script)?.[1]?.trim().split(' ') ?? [];
  const environment = [...script.matchAll(/(\w+)="\$\{\1:-(\d+)\}"/g)];
  if (settings.length === 0 || environment.length === 0)
    throw new Error('pinectl starts otherwise');
  const values = environment.map(([, name, value]) => `${name}=${value}`);
  return ['env', ...values, node, ...settings, ...args];
}

/** Drops a file, which is on stable storage, from the page cache. */
export async function forget(file: string): Promise<void> {
  await runProgram(['dd', `if=${file}`, 'iflag=nocache', 'count=0', 'status=none']);
}
