import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtPinectl } from './built-pinectl.ts';
import type { Contestant, Measurement } from './measurement.ts';
import { makeHistory } from './synthetic-history.ts';
import { compare, type Job, runProgram } from './timed.ts';

const few = 10;
const many = 1000;
/** These take long, and differ little from run to run. */
const longRuns = 3;
/** Commits that each run of prune takes away. */
const pruned = 50;

/** What work costs in a repository of 1,000 commits and 200,000 objects, next to one of ten commits, and to ostree. */
export const measure: Measurement = async ({ folder, runs }) => {
  const pinectl = await builtPinectl(folder);
  const objects = new Map<number, number>();
  for (const commits of [few, many]) {
    const repo = repoOf(folder, 'pinectl', commits);
    objects.set(commits, await makeHistory(repo, treeOf(folder, commits), commits));
    // Neither program writes into an object that is there: they may share them.
    await runProgram(['cp', '-al', repo, repoOf(folder, 'ostree', commits)]);
  }
  await runProgram(['sync']);

  let run = 0;
  const jobs: Job[] = [];
  for (const [name, ours, theirs] of daily) {
    for (const program of ['pinectl', 'ostree'] as const) {
      if (program === 'ostree' && theirs === undefined) continue;
      for (const commits of [few, many]) {
        const repo = repoOf(folder, program, commits);
        const tree = treeOf(folder, commits);
        jobs.push({
          name: `${program} ${name}, ${commits} commits`,
          async prepare() {
            run += 1;
            if (name === 'commit') writeFileSync(join(tree, 'folder-3/file-60'), `run ${run}\n`);
          },
          command: () =>
            program === 'pinectl'
              ? pinectl(...ours(tree), '--repo', repo)
              : ['ostree', ...(theirs?.(tree) ?? []), `--repo=${repo}`],
        });
      }
    }
  }
  const often = await compare(jobs, runs);
  const long = await compare(longJobs(folder, pinectl), Math.min(runs, longRuns));
  const contestants = [...often, ...long];
  return {
    what: `${objects.get(many)} objects in ${many} commits, next to ${objects.get(few)} in ${few}; trees of 1,000 small files`,
    contestants: contestants.map((each) => withPeer(each, contestants)),
    notes: [
      ...growth(often),
      'commit: one file of 1,000 changed, made durable; pinectl also hashes the image and writes its plan',
      'diff: of a commit that changed 154 files with its parent; log -n 10: the last ten commits, for which ostree has no option',
      `prune: all but so many parents of the ref, ${pruned} commits less each time`,
    ],
  };
};

type Arguments = (tree: string) => string[];
const daily: readonly (readonly [name: string, ours: Arguments, theirs: Arguments | undefined])[] =
  [
    ['show', () => ['show', 'bench'], () => ['show', 'bench']],
    ['log -n 10', () => ['log', '-n', `${few}`, 'bench'], undefined],
    ['log', () => ['log', 'bench'], () => ['log', 'bench']],
    ['diff', () => ['diff', 'bench'], () => ['diff', 'bench']],
    [
      'commit',
      (tree) => ['commit', '--ref', 'change', '--tree', tree],
      (tree) => ['commit', '--branch=change', `--tree=dir=${tree}`],
    ],
  ];

function longJobs(
  folder: string,
  pinectl: (...args: string[]) => readonly [string, ...string[]],
): Job[] {
  const ours = repoOf(folder, 'pinectl', many);
  const theirs = repoOf(folder, 'ostree', many);
  const depths = { pinectl: many, ostree: many };
  const nextDepth = (program: 'pinectl' | 'ostree') => {
    depths[program] -= pruned;
    return `--depth=${depths[program]}`;
  };
  return [
    {
      name: `pinectl fsck, ${many} commits`,
      command: () => pinectl('fsck', '--repo', ours),
    },
    { name: `ostree fsck, ${many} commits`, command: () => ['ostree', 'fsck', `--repo=${theirs}`] },
    {
      name: `pinectl prune, ${many} commits`,
      command: () => pinectl('prune', nextDepth('pinectl'), '--repo', ours),
    },
    {
      name: `ostree prune, ${many} commits`,
      command: () => [
        ...(['ostree', 'prune', '--refs-only', `--repo=${theirs}`] as const),
        nextDepth('ostree'),
      ],
    },
  ];
}

/** Names the contestant that did the same with the other program. */
function withPeer(contestant: Contestant, all: readonly Contestant[]): Contestant {
  const peer = contestant.name.replace(/^ostree/, 'pinectl');
  return all.some(({ name }) => name === peer) ? { ...contestant, peer } : contestant;
}

function growth(contestants: readonly Contestant[]): string[] {
  const find = (program: string, what: string, commits: number) =>
    contestants.find(({ name }) => name === `${program} ${what}, ${commits} commits`);
  return daily.map(([what]) => {
    const factors = ['pinectl', 'ostree'].flatMap((program) => {
      const [small, large] = [find(program, what, few), find(program, what, many)];
      if (small === undefined || large === undefined) return [];
      const time = (large.seconds / small.seconds).toFixed(2);
      // It is counted in hundredths of a second, and some need less.
      const processor =
        small.processor > 0
          ? `, ${(large.processor / small.processor).toFixed(2)} × the processor`
          : '';
      return [`${program} ${time} × the time${processor}`];
    });
    return `${what}, ${many} commits next to ${few}: ${factors.join('; ')}`;
  });
}

function repoOf(folder: string, program: string, commits: number): string {
  return join(folder, `${program}-${commits}`);
}

function treeOf(folder: string, commits: number): string {
  return join(folder, `tree-${commits}`);
}
