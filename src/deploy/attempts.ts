import { dirname } from 'node:path/posix';
import type { FileSystem } from '../ports/file-system.ts';

/** One line of a trial's log: when, and how far it had come. */
export interface Attempt {
  /** Seconds since 1970. */
  readonly time: number;
  /** `initramfs`, `handed-over`, `deadline`, `userspace`, `checking NAME`, `health NAME failed: …`, `let in: …`, and these. */
  readonly stage: string;
}

/** What the log of a take-over's first trial says once its health checks have passed. */
export const waitingStage = 'waiting for a login';

const limit = 64 * 1024;

/** Reads a trial's log; lines that a power cut tore are left out. */
export function parseAttempts(bytes: Uint8Array): readonly Attempt[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .map((line) => /^([0-9]{1,12}) ([\x20-\x7e]{1,300})$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ time: Number(match[1]), stage: String(match[2]) }));
}

/** The log at `path`, of its last 64 KiB; empty when it is missing. */
export async function readAttempts(files: FileSystem, path: string): Promise<readonly Attempt[]> {
  const status = await files.status(path);
  if (status?.kind !== 'file') return [];
  return parseAttempts(await files.readAt(path, Math.max(status.size - limit, 0), limit));
}

/** Adds a line to a trial's log, durably: the machine may be about to reboot. */
export async function appendAttempt(
  files: FileSystem,
  path: string,
  attempt: Attempt,
): Promise<void> {
  const stage = attempt.stage.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);
  const isNew = (await files.status(path)) === undefined;
  if (isNew) await files.makeFolder(dirname(path), 0o755);
  await files.appendFile(path, Buffer.from(`${attempt.time} ${stage}\n`), 0o644);
  await files.sync(path);
  if (isNew) await files.sync(dirname(path));
}
