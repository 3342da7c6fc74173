import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { projectFolder } from '../../../scripts/root/programs.ts';

/** Runs pinectl on the build host, as a user would. Rejects with what it said when it fails. */
export async function pinectl(...args: string[]): Promise<string> {
  return await new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      [join(projectFolder, 'src/cli/main.ts'), ...args],
      { maxBuffer: 64 << 20 },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`pinectl ${args.join(' ')}\n${stderr}${stdout}`));
      },
    );
  });
}
