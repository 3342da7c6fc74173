import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';

const root = '/sys/fs/cgroup/memory';

/** Why a process can't be given a limit of memory here, in words for a skipped test. */
export function lackOfLimits(): string | undefined {
  if (process.getuid?.() === 0 && existsSync(`${root}/memory.limit_in_bytes`)) return undefined;
  const reason = 'skipped: no memory cgroups (version 1) that this user may make';
  console.warn(reason);
  return reason;
}

/** Runs a program in a memory cgroup of so many bytes, page cache counted, without swap. */
export function runWithin(bytes: number, command: string, args: readonly string[]) {
  const group = `${root}/pine-test-${process.pid}`;
  mkdirSync(group);
  try {
    writeFileSync(`${group}/memory.limit_in_bytes`, String(bytes));
    const script = 'echo $$ > "$0/cgroup.procs" && exec "$@"';
    const { status, signal, stdout, stderr } = spawnSync(
      'sh',
      ['-c', script, group, command, ...args],
      { encoding: 'utf8' },
    );
    const peak = Number(readFileSync(`${group}/memory.max_usage_in_bytes`, 'utf8'));
    return { status, signal, out: stdout, err: stderr, peak };
  } finally {
    rmdirSync(group);
  }
}
