import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { tag, tagPrefix } from '../repo/move-ref.ts';
import { listRefs } from '../repo/refs.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** `pinectl tag`: names that stay where they are. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('[name]', 'the new tag; without it, the tags are listed')
    .argument('[commit]', 'a ref, a checksum or its beginning, with ^ for the parent')
    .addHelpText(
      'after',
      `
A tag is the ref tags/NAME. It is never moved, and what it names is never pruned. To take it away:
pinectl refs --delete tags/NAME

Examples:
  pinectl tag --repo repo 2026-06 alpine/x86_64/web
  pinectl tag --repo repo`,
    )
    .action(run);
}

async function run(
  name: string | undefined,
  argument: string | undefined,
  options: RepositoryOptions,
): Promise<void> {
  const repository = await openRepository(options);
  if (name === undefined) {
    const tags = [...(await listRefs(repository))]
      .filter(([ref]) => ref.startsWith(tagPrefix))
      .map(([ref, commit]) => [ref.slice(tagPrefix.length), commit] as const);
    const text = () => tags.map(([each, commit]) => `${each}\t${commit}`).join('\n');
    return print(options.json, { tags: Object.fromEntries(tags) }, text);
  }
  if (argument === undefined) {
    throw new PineError('USAGE_COMMAND_LINE', 'it is not said which commit', {
      expected: `pinectl tag ${name} COMMIT`,
      found: 'a name only',
      where: 'the command line',
      remedy: 'run `pinectl tag --help`',
    });
  }
  const commit = await resolveCommit(repository, argument);
  await tag(repository, commit, name);
  print(options.json, { tag: name, commit }, () => commit);
}
