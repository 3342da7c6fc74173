import type { Command } from 'commander';
import { Repository } from '../repo/repository.ts';
import { print } from './output.ts';
import { type RepositoryOptions, repositoryOptions, repositoryPath } from './repository-option.ts';

/** `pinectl init`: an empty repository. */
export function define(command: Command): void {
  repositoryOptions(command)
    .addHelpText(
      'after',
      `
The repository is an OSTree archive: the stock \`ostree\` reads and writes it too.
Nothing happens when there is one already.

Examples:
  pinectl init --repo /srv/pine
  PINE_REPO=/srv/pine pinectl init`,
    )
    .action(init);
}

async function init(options: RepositoryOptions): Promise<void> {
  const { path } = await Repository.init(repositoryPath(options));
  print(options.json, { repository: path }, () => '');
}
