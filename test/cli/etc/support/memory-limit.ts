import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const root = '/sys/fs/cgroup/memory';

/** Why a process can't be given a limit of memory here, in words for a skipped test. */
export function lackOfLimits(): string | undefined {
  if (process.getuid?.() === 0 && existsSync(`${root}/memory.limit_in_bytes`)) return undefined;
  const reason = 'skipped: no memory cgroups (version 1) that this user may make';
  console.warn(reason);
  return reason;
}

/** What a program has used of its memory. All in bytes. */
export interface Used {
  /** At the most, page cache counted: what room there is it takes. */
  readonly peak: number;
  /** Anonymous memory of its own, at the most: what can't be taken from it without swap. */
  readonly anonymous: number;
  /** What was dropped from the page cache for want of room, and read again. */
  readonly again: number;
}

/** Samples the anonymous memory of the group $0 into the file $1 while the rest of the arguments runs in it. */
const watched = `
while sleep 0.1; do sed -n 's/^rss //p' "$0/memory.stat"; done >"$1" &
watcher=$!
shift
sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$0" "$@"
status=$?
kill $watcher
exit $status`;

/** Runs a program in a memory cgroup of so many bytes, page cache counted, without swap. */
export function runWithin(bytes: number, command: string, args: readonly string[]) {
  const group = `${root}/pine-test-${process.pid}`;
  const samples = join(mkdtempSync(join(tmpdir(), 'pine-memory-')), 'samples');
  mkdirSync(group);
  try {
    writeFileSync(`${group}/memory.limit_in_bytes`, String(bytes));
    const { status, stdout, stderr } = spawnSync(
      'sh',
      ['-c', watched, group, samples, command, ...args],
      { encoding: 'utf8' },
    );
    const of = (file: string) => readFileSync(`${group}/memory.${file}`, 'utf8');
    const [, refaults = '0'] = /^workingset_refault(?:_file)? ([0-9]+)$/m.exec(of('stat')) ?? [];
    const used: Used = {
      peak: Number(of('max_usage_in_bytes')),
      anonymous: Math.max(0, ...readFileSync(samples, 'utf8').split('\n').map(Number)),
      again: Number(refaults) * 4096,
    };
    return { status, out: stdout, err: stderr, ...used };
  } finally {
    rmdirSync(group);
    rmSync(dirname(samples), { recursive: true });
  }
}

/**
 * Puts the files of a folder on a disk of their own, mounted read-only below it, and gives the place. Of a file that others
 * read too they may be charged for the pages; and a disk that reads eight megabytes ahead, as those of some hosts do, leaves
 * no room for anything else. `forget` drops its pages, so that whoever reads them next is charged.
 */
export function mountOwnDisk(folder: string): { place: string; forget(): void; unmount(): void } {
  const [image, place] = [`${folder}.img`, `${folder}.mounted`];
  mkdirSync(place);
  const run = (program: string, ...args: string[]) => execFileSync(program, args).toString().trim();
  run('truncate', '-s', '200M', image);
  run('mkfs.ext4', '-q', '-O', '^has_journal', '-d', folder, image);
  const device = run('losetup', '--find', '--show', '--read-only', '--direct-io=on', image);
  const mount = () => run('mount', '-o', 'ro', device, place);
  writeFileSync(`/sys/block/${basename(device)}/queue/read_ahead_kb`, '128'); // as any disk has it
  mount();
  return {
    place,
    forget() {
      run('umount', place);
      mount();
    },
    unmount() {
      run('umount', place);
      run('losetup', '--detach', device);
    },
  };
}
