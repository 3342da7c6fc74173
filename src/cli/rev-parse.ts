import type { Command } from 'commander';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl rev-parse`: which commit a name means. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit...>', 'refs, checksums or their beginnings (4 digits or more), with ^')
    .addHelpText(
      'after',
      `
Examples:
  pinectl rev-parse --repo repo alpine/x86_64/web
  pinectl rev-parse --repo repo alpine/x86_64/web^^ 1a2b3c4d`,
    )
    .action(run);
}

async function run(names: readonly string[], options: RepositoryOptions): Promise<void> {
  const repository = await openRepository(options);
  const commits: string[] = [];
  for (const name of names) commits.push(await resolveCommit(repository, name));
  print(options.json, { commits }, () => commits.join('\n'));
}
