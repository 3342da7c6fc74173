import type { FileSystem } from '../ports/file-system.ts';
import type { Effects } from './machine.ts';

/** A health check: an executable of a health.d folder. */
export interface HealthCheck {
  readonly name: string;
  readonly path: string;
}

/** A check that did not pass, and how. */
export interface FailedCheck {
  readonly name: string;
  readonly detail: string;
}

const mostChecks = 200;

/**
 * The executables of the folders, by name; of two with one name the one in the earlier folder counts, so that
 * an administrator can replace what the image brings. Hidden files and backups (`~`) are left out.
 */
export async function findChecks(
  files: FileSystem,
  folders: readonly string[],
): Promise<readonly HealthCheck[]> {
  const checks = new Map<string, HealthCheck>();
  for (const folder of folders) {
    for (const name of (await files.readFolder(folder)) ?? []) {
      if (name.startsWith('.') || name.endsWith('~') || checks.has(name)) continue;
      const path = `${folder}/${name}`;
      if (await isExecutable(files, path)) checks.set(name, { name, path });
    }
  }
  return [...checks.values()]
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
    .slice(0, mostChecks);
}

/** A symlink counts as executable: what it leads to shows when it is run. */
async function isExecutable(files: FileSystem, path: string): Promise<boolean> {
  const status = await files.status(path);
  if (status?.kind === 'symlink') return true;
  return status?.kind === 'file' && (status.mode & 0o111) !== 0;
}

/** Runs checks one after the other, all of them, and tells which did not pass. */
export async function runChecks(
  effects: Pick<Effects, 'runCheck'>,
  checks: readonly HealthCheck[],
  timeoutSeconds: number,
): Promise<readonly FailedCheck[]> {
  const failed: FailedCheck[] = [];
  for (const { name, path } of checks) {
    const { passed, detail } = await effects.runCheck(path, timeoutSeconds);
    if (!passed) failed.push({ name, detail });
  }
  return failed;
}
