import type { Command } from 'commander';
import { readHistory } from '../repo/history.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { commitJson, commitText } from './commit-text.ts';
import { print } from './output.ts';
import { parseCount } from './parse-count.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl log`: a commit and what came before it. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .option('-n, --max-count <number>', 'at most so many', parseCount)
    .addHelpText(
      'after',
      `
Examples:
  pinectl log --repo repo alpine/x86_64/web
  pinectl log --repo repo -n 1 --json alpine/x86_64/web`,
    )
    .action(log);
}

async function log(
  name: string,
  options: RepositoryOptions & { maxCount?: number },
): Promise<void> {
  const repository = await openRepository(options);
  const from = await resolveCommit(repository, name);
  const { entries, missing } = await readHistory(repository, from, options.maxCount);
  print(
    options.json,
    { commits: entries.map(({ checksum, commit }) => commitJson(checksum, commit)) },
    () => {
      const texts = entries.map(({ checksum, commit }) => commitText(checksum, commit));
      if (missing !== undefined) texts.push('<< History beyond this commit not fetched >>');
      return texts.join('\n');
    },
  );
}
