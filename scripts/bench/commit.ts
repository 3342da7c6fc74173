import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { pinectl } from './pinectl.ts';
import { compare, runProgram } from './timed.ts';

/** `pinectl commit` of a root next to `ostree commit`, each into a new repository. */
export const measure: Measurement = async ({ folder, runs, roots }) => {
  const { v1 } = await roots();
  const ours = join(folder, 'pine');
  const theirs = join(folder, 'ostree');
  const contestants = await compare(
    [
      {
        name: 'pinectl commit',
        async prepare() {
          rmSync(ours, { recursive: true, force: true });
          await runProgram(pinectl('init', '--repo', ours));
        },
        command: () => pinectl('commit', '--repo', ours, '--ref', 'bench', '--tree', v1),
      },
      {
        name: 'ostree commit',
        async prepare() {
          rmSync(theirs, { recursive: true, force: true });
          await runProgram(['ostree', 'init', `--repo=${theirs}`, '--mode=archive']);
        },
        command: () => [
          'ostree',
          'commit',
          `--repo=${theirs}`,
          '--branch=bench',
          `--tree=dir=${v1}`,
        ],
      },
    ],
    runs,
  );
  return {
    what: `commit ${await size(v1)} of Alpine into an empty repository, synced`,
    contestants,
    notes: [
      'zlib level 6 in both; the files are in the page cache',
      'pinectl also lays out and hashes the image and writes its plan, which ostree does not',
    ],
  };
};

async function size(folder: string): Promise<string> {
  const { output } = await runProgram(['du', '-sm', '--apparent-size', folder]);
  return `${Number.parseInt(output, 10)} MB`;
}
