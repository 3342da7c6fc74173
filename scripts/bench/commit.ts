import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { builtPinectl } from './built-pinectl.ts';
import { debianTree } from './debian-tree.ts';
import type { Bench, Measurement, Result } from './measurement.ts';
import { compare, runProgram } from './timed.ts';

/** `pinectl commit` next to `ostree commit`, each into a new repository. */
export const measure: Measurement = (bench) => measureCommit(bench, 'fresh');

/** A commit of the Debian tree into an empty repository, or of a copy of it into one that has it. */
export async function measureCommit(bench: Bench, kind: 'fresh' | 'again'): Promise<Result> {
  const { folder, runs } = bench;
  const pinectl = await builtPinectl(folder);
  const tree = await debianTree();
  // A copy has new inodes and times: nothing but reading it tells that it is the same.
  const copy = join(folder, 'copy');
  await runProgram(['cp', '-r', '--preserve=mode,ownership,xattr,links', tree, copy]);
  const ours = join(folder, 'pine');
  const theirs = join(folder, 'ostree');
  const commands = {
    pinectl: (root: string) => pinectl('commit', '--repo', ours, '--ref', 'bench', '--tree', root),
    ostree: (root: string): [string, ...string[]] => [
      ...([
        'ostree',
        'commit',
        `--repo=${theirs}`,
        '--branch=bench',
        `--tree=dir=${root}`,
      ] as const),
    ],
  };
  const empty = {
    async pinectl() {
      rmSync(ours, { recursive: true, force: true });
      await runProgram(pinectl('init', '--repo', ours));
    },
    async ostree() {
      rmSync(theirs, { recursive: true, force: true });
      await runProgram(['ostree', 'init', `--repo=${theirs}`, '--mode=archive']);
    },
  };
  if (kind === 'again') {
    for (const name of ['pinectl', 'ostree'] as const) {
      await empty[name]();
      await runProgram(commands[name](copy));
    }
  }
  const contestants = await compare(
    (['pinectl', 'ostree'] as const).map((name) => ({
      name: `${name} commit`,
      command: () => commands[name](tree),
      ...(kind === 'fresh' ? { prepare: empty[name] } : {}),
    })),
    runs,
  );
  const what = `commit ${await size(tree)} in ${await count(tree)} files of Debian`;
  return {
    what:
      kind === 'fresh'
        ? `${what} into an empty repository, synced`
        : `${what} into a repository that has a copy of them, synced`,
    contestants,
    notes: [
      'zlib level 6 in both; the files are in the page cache; one of them has 129 MB',
      'pinectl as `npm run build` makes it; in a git work tree it also reads the recipe',
      'pinectl also lays out and hashes the image and writes its plan, which ostree does not',
    ],
  };
}

async function size(folder: string): Promise<string> {
  const { output } = await runProgram(['du', '-sm', '--apparent-size', folder]);
  return `${Number.parseInt(output, 10)} MB`;
}

async function count(folder: string): Promise<number> {
  const { output } = await runProgram(['find', folder, '-type', 'f', '-printf', '.']);
  return output.length;
}
