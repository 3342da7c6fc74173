import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { checkRepository, type FsckProblem } from '../repo/fsck.ts';
import type { Repository } from '../repo/repository.ts';
import { print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly repair?: boolean;
}

/** `pinectl fsck`: reads everything and says what is damaged. */
export function define(command: Command): void {
  repositoryOptions(command)
    .option('--repair', 'make lost or damaged plans again')
    .addHelpText(
      'after',
      `
Every commit is read with all that it leads to, and every checksum is computed again.
Ends with exit status 4 and CORRUPT_REPOSITORY when something is damaged or missing.

Examples:
  pinectl fsck --repo repo
  pinectl fsck --repo repo --repair --json`,
    )
    .action(fsck);
}

async function fsck(options: Options): Promise<void> {
  const repository = await openRepository(options);
  const progress = terminalProgress();
  const checked = await checkRepository(repository, progress.report).finally(progress.end);
  const { repaired, left } = options.repair
    ? await repair(repository, checked.problems)
    : { repaired: [], left: checked.problems };
  const { commits, partial, objects } = checked;
  print(options.json, { commits, partial, objects, repaired, problems: left }, () =>
    [
      ...repaired.map((name) => `made again: the plan of ${name}`),
      ...left.map(({ kind, name, error }) => `${error.code} ${name}.${kind}: ${error.message}`),
      `${commits} commits, ${objects} objects checked, ${left.length} problems`,
      ...(partial > 0 ? [`${partial} commits are there in part only`] : []),
    ].join('\n'),
  );
  if (left.length === 0) return;
  throw new PineError('CORRUPT_REPOSITORY', 'the repository is damaged', {
    expected: `${objects} objects as their names say`,
    found: `${left.length} problems`,
    where: repository.path,
    remedy: left.some(({ kind }) => kind !== 'plan')
      ? 'delete the damaged objects, then commit the trees again or pull them from a whole repository'
      : 'run `pinectl fsck --repair`',
  });
}

/** Plans follow from the rest, so they can be made again; nothing else can. */
async function repair(repository: Repository, problems: readonly FsckProblem[]) {
  const { remakePlan } = await import('../build/remake-plan.ts');
  const repaired: string[] = [];
  const left: FsckProblem[] = [];
  for (const problem of problems) {
    try {
      if (problem.kind === 'plan') await remakePlan(repository, problem.name);
      else left.push(problem);
      if (problem.kind === 'plan') repaired.push(problem.name);
    } catch (error) {
      if (!(error instanceof PineError)) throw error;
      left.push({ ...problem, error });
    }
  }
  return { repaired, left };
}
