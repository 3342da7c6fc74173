import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { builtPinectl } from './built-pinectl.ts';
import type { Measurement } from './measurement.ts';
import { makeSmallMachine } from './small-machine.ts';
import { compare, type Job, runProgram } from './timed.ts';

/** What a start costs: `pinectl status` as a server has it, next to a Node.js that does nothing, and ostree. */
export const measure: Measurement = async ({ folder, runs }) => {
  const pinectl = await builtPinectl(folder);
  const machine = await makeSmallMachine(folder);
  const jobs: Job[] = [
    {
      name: 'pinectl status',
      command: () => pinectl('status', ...machine),
    },
    { name: 'pinectl --version', command: () => pinectl('--version') },
    { name: 'node -e 0', command: () => [process.execPath, '-e', '0'] },
  ];
  if (existsSync('/usr/bin/ostree')) {
    const sysroot = join(folder, 'sysroot');
    await runProgram(['mkdir', sysroot]);
    await runProgram(['ostree', 'admin', 'init-fs', sysroot]);
    const command = ['ostree', 'admin', 'status', `--sysroot=${sysroot}`] as const;
    jobs.push({ name: 'ostree admin status', command: () => command });
  }
  return {
    what: 'status of a machine with one deployment, whose signature is verified',
    contestants: await compare(jobs, runs),
    notes: ['ostree is a C program, and here has no deployment to look at'],
  };
};
