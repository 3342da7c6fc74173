import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';

/** As with ostree: those that add objects hold it together, one that removes objects holds it alone. */
export type LockMode = 'shared' | 'exclusive';

/** fcntl's F_OFD_SETLK, F_RDLCK, F_WRLCK: the same numbers on every architecture that pine builds on. */
const setLock = 37;
const kinds = { shared: 0, exclusive: 1 } as const;

/**
 * One line in languages that can call fcntl, which Node.js can't. Standard input is the file. Ends in 0 with the lock
 * taken, in 1 when somebody else has it (EAGAIN, EACCES). perl starts in 2 ms and is essential to Debian.
 */
const programs: readonly (readonly [program: string, args: readonly string[]])[] = [
  [
    'perl',
    [
      '-e',
      `exit(fcntl(STDIN, ${setLock}, pack("s s x4 q q i x4", $ARGV[0], 0, 0, 0, 0)) ? 0 : $! == 11 || $! == 13 ? 1 : 2)`,
    ],
  ],
  [
    'python3',
    [
      '-Sc',
      `import fcntl, struct, sys
try: fcntl.fcntl(0, ${setLock}, struct.pack("hhqqi4x", int(sys.argv[1]), 0, 0, 0, 0))
except OSError as error: sys.exit(1 if error.errno in (11, 13) else 2)`,
    ],
  ],
];

/**
 * Takes the lock that the stock `ostree` takes: on the file `.lock`, for the open file and not for the process, so that
 * a program that ends at once can take it for us. It is ours until the file is closed, and no kill leaves it behind.
 *
 * Gives `held` when another program has it, and `unavailable` where none of the programs is there to take it.
 */
export async function takeOstreeLock(
  repository: string,
  mode: LockMode,
): Promise<FileHandle | 'held' | 'unavailable'> {
  const file = await open(join(repository, '.lock'), constants.O_RDWR | constants.O_CREAT, 0o660);
  for (const [program, args] of programs) {
    const status = await run(program, [...args, String(kinds[mode])], file.fd);
    if (status === 0) return file;
    if (status !== 1) continue;
    await file.close();
    return 'held';
  }
  await file.close();
  return 'unavailable';
}

/** The exit status of a program; -1 when it could not be started. */
async function run(program: string, args: readonly string[], input: number): Promise<number> {
  const { PATH = '/usr/bin:/bin' } = process.env;
  const child = spawn(program, args, { stdio: [input, 'ignore', 'ignore'], env: { PATH } });
  try {
    const [status] = await once(child, 'exit');
    return status ?? -1;
  } catch {
    return -1;
  }
}
