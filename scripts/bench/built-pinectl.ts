import { join } from 'node:path';
import { bundleModules, writeModules } from '../build/bundle.ts';
import { projectFolder } from '../root/programs.ts';

/** The file that /usr/bin/pinectl starts. */
function entryOf([command = '']: readonly string[]): string {
  return ['status', 'history'].includes(command) ? 'quick.mjs' : 'pinectl.mjs';
}

/**
 * Builds pinectl into a folder, as `npm run build` does, and gives its command lines: this one has no
 * types to strip, which takes Node.js some 0.2 s and 35 MB at each start.
 */
export async function builtPinectl(
  folder: string,
): Promise<(...args: string[]) => readonly [string, ...string[]]> {
  writeModules(folder, await bundleModules(projectFolder));
  return (...args) => [process.execPath, join(folder, entryOf(args)), ...args];
}
