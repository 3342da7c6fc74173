import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Measurement } from './measurement.ts';
import { pinectl } from './pinectl.ts';
import { compare, runProgram } from './timed.ts';

/** `pinectl delta generate` between two Alpine roots next to `ostree static-delta generate`, from the same repository. */
export const measure: Measurement = async ({ folder, runs, roots }) => {
  const { v1, v2 } = await roots();
  const repo = join(folder, 'repo');
  const [delta, image, made] = ['ostree.delta', 'old.squashfs', 'new.squashfs'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await runProgram(pinectl('init', '--repo', repo));
  for (const tree of [v1, v2]) {
    await runProgram(pinectl('commit', '--repo', repo, '--ref', 'bench', '--tree', tree));
  }
  const show = ['show', '--repo', repo, '--json', 'bench'] as const;
  const { commit: to, parent: from } = JSON.parse((await runProgram(pinectl(...show))).output);
  await runProgram(
    pinectl('image', '--repo', repo, '--ref', from, '--format', 'squashfs', '-o', image),
  );
  const stored = join(repo, 'pine/deltas', to, `${from}.delta`);
  const contestants = await compare(
    [
      {
        name: 'pinectl delta generate',
        command: () => pinectl('delta', 'generate', '--repo', repo, '--to', to, '--force'),
        bytes: () => ({ delta: statSync(stored).size }),
      },
      {
        name: 'ostree static-delta generate',
        command: () => [
          ...(['ostree', `--repo=${repo}`, 'static-delta', 'generate', '--inline'] as const),
          ...[`--from=${from}`, `--to=${to}`, `--filename=${delta}`],
        ],
        bytes: () => ({ delta: statSync(delta).size }),
      },
      {
        name: 'pinectl delta apply',
        command: () => pinectl('delta', 'apply', stored, '--unsigned', '--from', image, '-o', made),
        bytes: () => ({ image: statSync(made).size }),
      },
    ],
    runs,
  );
  return {
    what: 'the delta of a security update of an Alpine root',
    contestants,
    notes: [
      'pinectl makes both images first, and applies the delta before it stores it; ostree does neither',
      'applying hashes the old image first, and reads the new one back',
    ],
  };
};
