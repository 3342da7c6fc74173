import type { Command } from 'commander';
import { updateSummary } from '../build/update-summary.ts';
import { systemClock } from '../ports/clock.ts';
import { collect, defaultTimestamp } from './commit-options.ts';
import { readSecretKeys } from './key-files.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly signKey?: readonly string[];
}

/** `pinectl summary`: tells clients over HTTP which refs there are. */
export function define(command: Command): void {
  repositoryOptions(command)
    .option('--sign-key <file>', 'sign it with a .secret file; may be repeated', collect)
    .addHelpText(
      'after',
      `
Writes the files summary and, with --sign-key, summary.sig, as the stock client reads them. To be run
after every commit, promotion and deleted ref of a repository that has one.

Examples:
  pinectl summary --repo repo
  pinectl summary --repo repo --sign-key release.secret`,
    )
    .action(summary);
}

async function summary(options: Options): Promise<void> {
  const repository = await openRepository(options);
  const keys = await readSecretKeys(options.signKey);
  const refs = await updateSummary(repository, keys, defaultTimestamp(systemClock.now()));
  print(options.json, { refs: Object.fromEntries(refs), signed: keys.length > 0 }, () =>
    [...refs].map(([ref, { commit }]) => `${commit}  ${ref}`).join('\n'),
  );
}
