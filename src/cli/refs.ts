import type { Command } from 'commander';
import { PineError } from '../error.ts';
import { asOnlyWriter, checkMovable } from '../repo/move-ref.ts';
import { checkRefName } from '../repo/ref-name.ts';
import { deleteRef, listRefs, readRef, writeRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly list?: boolean;
  readonly revision?: boolean;
  readonly create?: string;
  readonly force?: boolean;
  readonly delete?: boolean;
}

/** `pinectl refs`: names of commits. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('[name]', 'only refs below this name; with --create the commit, with --delete a ref')
    .option('-r, --revision', 'print the commits too')
    .option('--list', 'print whole names, also with a name')
    .option('--create <ref>', 'point a new ref to the commit (`promote` checks more)')
    .option('--force', 'let --create move a ref that is there')
    .option('--delete', 'take the refs of this name and below it away; commits stay')
    .addHelpText(
      'after',
      `
Examples:
  pinectl refs --repo repo
  pinectl refs --repo repo --create alpine/x86_64/web-stable --force alpine/x86_64/web
  pinectl refs --repo repo --delete alpine/x86_64/old`,
    )
    .action(refs);
}

async function refs(name: string | undefined, options: Options): Promise<void> {
  const repository = await openRepository(options);
  if (options.create !== undefined) {
    const commit = await resolveCommit(repository, needed(name, 'the commit'));
    await asOnlyWriter(repository, () =>
      create(repository, options.create ?? '', commit, options.force),
    );
    return print(options.json, { ref: options.create, commit }, () => '');
  }
  const found = [...(await listRefs(repository))].filter(([ref]) => isBelow(ref, name));
  if (options.delete) {
    needed(name, 'the ref to delete');
    await asOnlyWriter(repository, async () => {
      for (const [ref] of found) await deleteRef(repository, ref);
    });
    return print(options.json, { deleted: found.map(([ref]) => ref) }, () => '');
  }
  print(options.json, { refs: Object.fromEntries(found) }, () =>
    found
      .map(([ref, commit]) => {
        const shown = name === undefined || options.list || ref === name ? ref : rest(ref, name);
        return options.revision ? `${shown}\t${commit}` : shown;
      })
      .join('\n'),
  );
}

async function create(
  repository: Repository,
  ref: string,
  commit: string,
  force = false,
): Promise<void> {
  checkRefName(ref);
  checkMovable(ref);
  const present = await readRef(repository, ref);
  if (present !== undefined && present !== commit && !force) {
    throw new PineError('STATE_REF_EXISTS', `there is a ref ${ref} already`, {
      expected: 'a new name',
      found: `a ref to ${present}`,
      where: repository.path,
      remedy: 'add --force to move it',
    });
  }
  await writeRef(repository, ref, commit);
}

function isBelow(ref: string, name: string | undefined): boolean {
  return name === undefined || ref === name || ref.startsWith(`${name}/`);
}

function rest(ref: string, name: string): string {
  return ref.slice(name.length + 1);
}

function needed(name: string | undefined, what: string): string {
  if (name !== undefined) return name;
  throw new PineError('USAGE_COMMAND_LINE', `${what} is missing`, {
    expected: 'a name at the end of the command line',
    found: 'nothing',
    where: 'the command line',
    remedy: 'run `pinectl refs --help`',
  });
}
