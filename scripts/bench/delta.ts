import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { bundleModules, writeModules } from '../build/bundle.ts';
import { hasProgram, projectFolder } from '../root/programs.ts';
import type { Pair } from './delta-pairs.ts';
import type { Bench, Measurement, Result } from './measurement.ts';
import { compare, type Job, runProgram } from './timed.ts';

/** `pinectl delta generate` between the two trees of a pair, next to the tools that make such a thing. */
export function measurementOf(pair: Pair): { measure: Measurement; usualRuns?: number } {
  const measure = (bench: Bench): Promise<Result> => measurePair(pair, bench);
  return { measure, ...(pair.isLong ? { usualRuns: 1 } : {}) };
}

async function measurePair(pair: Pair, bench: Bench): Promise<Result> {
  const { folder, runs } = bench;
  const built = join(folder, 'pinectl.mjs');
  writeModules(folder, await bundleModules(projectFolder));
  const pinectl = (...args: string[]): readonly [string, ...string[]] => [
    process.execPath,
    built,
    ...args,
  ];
  let trees = await pair.trees(bench);
  const repo = join(folder, 'repo');
  const path = (name: string): string => join(folder, name);
  await runProgram(pinectl('init', '--repo', repo));
  const expand = pair.isExpanded ? ['--expand-compressed'] : [];
  for (const tree of [trees.old, trees.new]) {
    await runProgram(
      pinectl('commit', '--repo', repo, '--ref', 'bench', '--tree', tree, ...expand),
    );
  }
  const show = ['show', '--repo', repo, '--json', 'bench'] as const;
  const { commit: to, parent: from } = JSON.parse((await runProgram(pinectl(...show))).output);
  if (pair.isExpanded) {
    trees = { old: path('old'), new: path('new') };
    await runProgram(pinectl('checkout', '--repo', repo, '--user-mode', from, trees.old));
    await runProgram(pinectl('checkout', '--repo', repo, '--user-mode', to, trees.new));
  }
  const image = async (commit: string, name: string): Promise<void> => {
    const output = ['--format', 'squashfs', '-o', path(name)];
    await runProgram(pinectl('image', '--repo', repo, '--ref', commit, ...output));
  };
  await image(from, 'old.squashfs');
  const stored = join(repo, 'pine/deltas', to, `${from}.delta`);
  const generate = pinectl('delta', 'generate', '--repo', repo, '--to', to, '--force');
  const jobs: Job[] = [
    {
      name: 'pinectl delta generate',
      command: () => generate,
      bytes: () => ({ delta: statSync(stored).size }),
    },
    {
      name: 'pinectl delta generate --best',
      command: () => [...generate, '--best'],
      bytes: () => ({ delta: statSync(stored).size }),
    },
    {
      name: 'ostree static-delta generate',
      command: () => [
        ...(['ostree', `--repo=${repo}`, 'static-delta', 'generate', '--inline'] as const),
        ...[`--from=${from}`, `--to=${to}`, `--filename=${path('ostree.delta')}`],
      ],
      bytes: () => ({ delta: statSync(path('ostree.delta')).size }),
    },
    {
      name: 'pinectl delta apply',
      command: () =>
        pinectl(
          ...['delta', 'apply', stored, '--unsigned', '--from', path('old.squashfs')],
          ...['-o', path('made.squashfs')],
        ),
      bytes: () => ({ image: statSync(path('made.squashfs')).size }),
    },
  ];
  const bsdiffNeeds = pair.bsdiff === 'files' ? ['bsdiff', 'bzip2', 'xz'] : ['bsdiff'];
  if (pair.hasOtherPeers && typeof pair.bsdiff === 'object') {
    const { file } = pair.bsdiff;
    jobs.splice(3, 0, ...otherPeers(join(trees.old, file), join(trees.new, file), path));
  }
  const programs = ['ostree', ...bsdiffNeeds, ...(pair.hasOtherPeers ? ['zstd', 'xdelta3'] : [])];
  const missing = programs.filter((program) => !hasProgram(program));
  if (!bsdiffNeeds.some((program) => missing.includes(program))) {
    if (pair.bsdiff === 'images') await image(to, 'new.squashfs');
    jobs.splice(3, 0, bsdiff(pair, trees, path));
  }
  return {
    what: `the delta of ${pair.what}`,
    contestants: await compare(
      jobs.filter((job) => !missing.some((program) => job.command()[0] === program)),
      runs,
    ),
    notes: [
      'pinectl applies the delta before it stores it; the others do not',
      'applying hashes the old image first, and reads the new one back',
      'this pinectl is what `npm run build` makes; it has no types to strip',
      ...missing.map((program) => `not measured: this machine lacks ${program}`),
    ],
  };
}

function bsdiff(
  pair: Pair,
  trees: { readonly old: string; readonly new: string },
  path: (name: string) => string,
): Job {
  if (pair.bsdiff === 'files') {
    const folder = path('joined');
    mkdirSync(folder);
    const program = join(import.meta.dirname, 'joined-bsdiff.ts');
    return {
      name: 'bsdiff of each file, joined, xz',
      command: () => [process.execPath, program, trees.old, trees.new, folder],
      onlyStarts: true,
      bytes: () => {
        const streams = ['control.xz', 'differences.xz', 'extra.xz'];
        const sizes = streams.map((name) => statSync(join(folder, name)).size);
        return { delta: sizes.reduce((sum, size) => sum + size) };
      },
    };
  }
  const files =
    pair.bsdiff === 'images'
      ? [path('old.squashfs'), path('new.squashfs')]
      : [join(trees.old, pair.bsdiff.file), join(trees.new, pair.bsdiff.file)];
  return {
    name: pair.bsdiff === 'images' ? 'bsdiff of the images' : 'bsdiff',
    command: () => ['bsdiff', ...files, path('bsdiff.patch')],
    bytes: () => ({ delta: statSync(path('bsdiff.patch')).size }),
  };
}

/** What compresses a file with another one at hand. */
function otherPeers(old: string, file: string, path: (name: string) => string): Job[] {
  const [zstd, xdelta] = [path('zstd.patch'), path('xdelta.patch')];
  return [
    {
      name: 'zstd -19 --long=31 --patch-from',
      command: () => ['zstd', '-qf', '-19', '--long=31', `--patch-from=${old}`, file, '-o', zstd],
      bytes: () => ({ delta: statSync(zstd).size }),
    },
    {
      name: 'xdelta3 -9',
      command: () => ['xdelta3', '-9', '-f', '-e', '-s', old, file, xdelta],
      bytes: () => ({ delta: statSync(xdelta).size }),
    },
  ];
}
