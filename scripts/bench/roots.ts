import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sharedAlpine } from '../root/programs.ts';
import { CannotMeasure } from './measurement.ts';
import { runProgram } from './timed.ts';

/**
 * Makes the roots of an Alpine server before (v1) and after (v2) a security update in `folder`, or takes
 * those in the folder that PINE_BENCH_ROOTS names.
 */
export async function makeRoots(folder: string): Promise<{ v1: string; v2: string }> {
  const given = process.env.PINE_BENCH_ROOTS;
  const script = join(sharedAlpine, 'make-root.sh');
  if (given === undefined) {
    if (!existsSync(script) || process.getuid?.() !== 0) {
      throw new CannotMeasure(
        `no roots: ${existsSync(script) ? 'making them needs root' : `${script} is missing`}; or set PINE_BENCH_ROOTS to a folder with v1 and v2`,
      );
    }
    await runProgram(['sh', script, folder]);
  }
  const roots = { v1: join(folder, 'v1'), v2: join(folder, 'v2') };
  for (const [name, root] of Object.entries(roots)) {
    if (given !== undefined) await runProgram(['cp', '-a', join(given, name), root]);
    // pinectl leaves devices below /dev out; ostree refuses them.
    await runProgram(['find', join(root, 'dev'), '-mindepth', '1', '-delete']);
  }
  return roots;
}
