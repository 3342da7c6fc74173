import { type ExecFileSyncOptions, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Runs a program and returns what it printed. Its error output goes into the error when it fails. */
export function run(program: string, args: readonly string[], cwd?: string): string {
  const options: ExecFileSyncOptions = {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
    maxBuffer: 64 << 20,
  };
  if (cwd !== undefined) options.cwd = cwd;
  return execFileSync(program, [...args], options).toString();
}

/** Whether a program can be found. */
export function hasProgram(name: string): boolean {
  return environment.PATH.split(':').some((folder) => existsSync(join(folder, name)));
}

/** The project's own folder. */
export const projectFolder = resolve(import.meta.dirname, '../..');

/** Where what was downloaded is kept for the next time: $PINE_CACHE, else .cache in the project. */
export const cacheFolder = resolve(process.env.PINE_CACHE ?? join(projectFolder, '.cache'));

/** Real Alpine archives and packages beside the project, where a machine has them. */
export const sharedAlpine = resolve(projectFolder, '../shared/alpine');
