import { type Command, Option } from 'commander';
import { PineError } from '../error.ts';
import { Repository } from '../repo/repository.ts';

/** Options of a command that works on a repository. */
export interface RepositoryOptions {
  readonly repo?: string;
  readonly json?: boolean;
}

/** Adds `--repo` (or PINE_REPO) and `--json`. */
export function repositoryOptions(command: Command): Command {
  return command
    .addOption(new Option('--repo <path>', 'the repository').env('PINE_REPO'))
    .option('--json', 'print JSON');
}

/** The path that `--repo` or PINE_REPO gives. Throws USAGE_NO_REPOSITORY. */
export function repositoryPath({ repo }: RepositoryOptions): string {
  if (repo !== undefined && repo !== '') return repo;
  throw new PineError('USAGE_NO_REPOSITORY', 'it is not said which repository', {
    expected: '--repo PATH, or PINE_REPO in the environment',
    found: 'neither',
    where: 'the command line',
    remedy: 'add --repo PATH; `pinectl init --repo PATH` makes one',
  });
}

/** Opens the repository that the command line names; a wait for another writer is told on stderr. */
export async function openRepository(options: RepositoryOptions): Promise<Repository> {
  const repository = await Repository.open(repositoryPath(options));
  repository.onWait = (holder, seconds) => {
    const most = Number.isFinite(seconds) ? ` up to ${seconds} s` : '';
    process.stderr.write(`waiting${most} for ${holder}, which is writing to ${repository.path}\n`);
  };
  return repository;
}
