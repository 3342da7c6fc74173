import type { Command } from 'commander';
import { type PromoteOptions, promote } from '../repo/move-ref.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl promote`: a ref moves to a commit that was tried under another one. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<from>', 'the commit: a ref, a checksum or its beginning, with ^ for the parent')
    .argument('<to>', 'the ref that moves; made if it is not there')
    .option('--force', 'also to a commit that does not follow the one that the ref points to')
    .option('--allow-unbound', 'also a commit that was not made for the ref: no machine takes it')
    .addHelpText(
      'after',
      `
The ref gets the exact commit, with its signatures; nothing is built again. The commit must have
been made for it: \`commit --ref FROM --bind-ref TO\`.

Examples:
  pinectl promote --repo repo alpine/x86_64/web-next alpine/x86_64/web
  pinectl promote --repo repo --force alpine/x86_64/web^ alpine/x86_64/web`,
    )
    .action(run);
}

async function run(
  from: string,
  to: string,
  options: RepositoryOptions & PromoteOptions,
): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, from);
  const before = await promote(repository, commit, to, options);
  print(options.json, { ref: to, commit, before: before ?? null }, () => commit);
}
