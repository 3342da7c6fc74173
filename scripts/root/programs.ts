import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const environment = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` };

/** Runs a program and gives what it printed. Rejects with its error output when it fails. */
export async function run(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { stdout } = await promisify(execFile)(program, [...args], {
    env: environment,
    maxBuffer: 64 << 20,
    ...(cwd === undefined ? {} : { cwd }),
  });
  return stdout;
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
