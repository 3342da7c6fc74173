import type { Command } from 'commander';
import { prepareAdoption } from '../build/adopt.ts';
import { PineError } from '../error.ts';
import { isChecksum } from '../repo/object-name.ts';
import { readRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import {
  makeCommit,
  type NewCommitOptions,
  newCommitOptions,
  readNewCommit,
} from './new-commit.ts';
import { openRepository } from './repository-option.ts';

interface Options extends NewCommitOptions {
  readonly ref?: string;
}

/** `pinectl adopt`: a commit of the stock `ostree` becomes one that machines take. */
export function define(command: Command): void {
  newCommitOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .option(
      '--ref <name>',
      'the ref that moves to the new commit (default: COMMIT, if it is a ref)',
    )
    .addHelpText(
      'after',
      `
The new commit has the same tree, time, subject, body and metadata, and what machines need besides: the
promise of an image, its plan, the ref, signatures. With --bootable the tree also gets what a machine
boots with.

Examples:
  pinectl adopt --repo repo web --sign-key release.secret --bootable
  pinectl adopt --repo repo upstream:web --ref web --sign-key release.secret`,
    )
    .action(run);
}

async function run(name: string, options: Options): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  const ref = options.ref ?? (await localRef(repository, name));
  const { tree, options: kept } = await prepareAdoption(repository, commit);
  const commitOptions = { ...(await readNewCommit(options)), ...kept, ref };
  const { timestamp = kept.timestamp } = options;
  await makeCommit(repository, tree, { ...commitOptions, timestamp }, [], options);
}

async function localRef(repository: Repository, name: string): Promise<string> {
  const isLocal = !isChecksum(name) && !/[:^]/.test(name);
  if (isLocal && (await readRef(repository, name)) !== undefined) return name;
  throw new PineError('USAGE_COMMAND_LINE', 'it is not said which ref', {
    expected: '--ref NAME, or a ref as the commit',
    found: name,
    where: 'the command line',
    remedy: 'run `pinectl adopt --help`',
  });
}
