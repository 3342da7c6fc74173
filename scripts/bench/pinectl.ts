import { join } from 'node:path';
import { projectFolder } from '../root/programs.ts';

/** The command line of pinectl as a user of this source tree has it. */
export function pinectl(...args: string[]): readonly [string, ...string[]] {
  return [process.execPath, join(projectFolder, 'src/cli/main.ts'), ...args];
}
