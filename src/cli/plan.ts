import type { Command } from 'commander';
import { remakePlan } from '../build/remake-plan.ts';
import { promisedPlan } from '../repo/pine-metadata.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl plan`: a commit's plan is made again. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .addHelpText(
      'after',
      `
The plan says where each byte of a commit's image comes from. Stock tools that mirror a repository
leave it behind; this makes it again, byte for byte, from the commit's objects.

Examples:
  pinectl plan --repo mirror alpine/x86_64/web`,
    )
    .action(run);
}

async function run(name: string, options: RepositoryOptions): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  await remakePlan(repository, commit);
  const plan = promisedPlan(await repository.readCommit(commit));
  const file = repository.objectFile(commit, 'plan');
  print(options.json, { commit, plan, file }, () => `${plan?.sha256}  ${file}`);
}
