import type { Command } from 'commander';
import { updateSummary } from '../build/update-summary.ts';
import { PineError } from '../error.ts';
import { systemClock } from '../ports/clock.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { keyFileLimit, parseSecretKey } from '../trust/key-file.ts';
import { collect, defaultTimestamp } from './commit-options.ts';
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
  const keys = await Promise.all((options.signKey ?? []).map(readSecretKey));
  const refs = await updateSummary(repository, keys, defaultTimestamp(systemClock.now()));
  print(options.json, { refs: Object.fromEntries(refs), signed: keys.length > 0 }, () =>
    [...refs].map(([ref, { commit }]) => `${commit}  ${ref}`).join('\n'),
  );
}

async function readSecretKey(path: string) {
  const bytes = await nodeFileSystem.readFile(path, keyFileLimit);
  if (bytes !== undefined) return parseSecretKey(bytes.toString(), path);
  throw new PineError('NOT_FOUND_FILE', 'there is no such file', {
    expected: 'a .secret file',
    found: 'nothing',
    where: path,
    remedy: 'make one with `pinectl keys generate`',
  });
}
