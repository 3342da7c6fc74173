import { type Command, Option } from 'commander';
import type { CommitOptions } from '../build/commit-options.ts';
import type { OpenedExpansion } from '../build/expand/expand-compressed.ts';
import { applyFilter } from '../build/filter/apply-filter.ts';
import { type FilterRule, parseFilter } from '../build/filter/rules.ts';
import { openSources, type TreeSource } from '../build/sources/open-sources.ts';
import { PineError } from '../error.ts';
import { systemClock } from '../ports/clock.ts';
import type { Dictionary } from '../repo/gvariant/variant.ts';
import { defaultTimestamp, parseId, parseMetadataString, parseTree } from './commit-options.ts';
import { expand, expansionJson, expansionNotes } from './expansion.ts';
import { readText } from './input-file.ts';
import {
  makeCommit,
  type NewCommitOptions,
  newCommitOptions,
  readNewCommit,
} from './new-commit.ts';
import { type RecipeOptions, readRecipeOption, recipeOptions } from './recipe-option.ts';
import { openRepository } from './repository-option.ts';
import { keepHeapSmall } from './small-heap.ts';

interface Options extends NewCommitOptions, RecipeOptions {
  readonly ref?: string;
  readonly branch?: string;
  readonly tree?: readonly TreeSource[];
  readonly apkKeys?: string;
  readonly filter?: string;
  readonly expandCompressed?: boolean;
  readonly skipIfUnchanged?: boolean;
  readonly parent?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly addMetadataString?: Dictionary;
  readonly ownerUid?: number;
  readonly ownerGid?: number;
  readonly skipSpecial?: boolean;
  readonly image: boolean;
}

/** `pinectl commit`: a folder becomes a commit. */
export function define(command: Command): void {
  recipeOptions(newCommitOptions(command))
    .argument('[folder]', 'the root of the tree, the same as --tree')
    .option('--ref <name>', 'the ref that moves to the new commit')
    .addOption(new Option('-b, --branch <name>', 'the same as --ref, as with ostree'))
    .option(
      '--tree <source>',
      'dir=FOLDER, tar=FILE, ref=COMMIT or apk=FILE, laid over those before',
      parseTree,
    )
    .option('--apk-keys <folder>', "Alpine's public keys, for apk=FILE")
    .option('--filter <file>', 'rules that drop, keep, chmod and chown what is in the tree')
    .option(
      '--expand-compressed',
      'store packed kernel modules, manuals and documents plain: deltas see what is in them',
    )
    .option('--skip-if-unchanged', 'make no commit of the tree that the parent has')
    .option('--parent <commit>', 'what it follows, or `none` (default: what the ref points to)')
    .option('-s, --subject <text>', 'one line about it')
    .option('-m, --body <text>', 'more about it')
    .option('--add-metadata-string <key=value>', 'goes into the metadata', parseMetadataString)
    .option('--owner-uid <uid>', 'everything belongs to this user', parseId)
    .option('--owner-gid <gid>', 'everything belongs to this group', parseId)
    .option('--skip-special', 'leave out devices, sockets and fifos outside of /dev too')
    .option('--no-image', 'a plain OSTree commit: no image, no plan, not for machines')
    .addHelpText(
      'after',
      `
Prints the checksum of the commit. Messages and statistics go to stderr.

Examples:
  pinectl commit --repo repo --ref alpine/x86_64/web --tree root -s 'June updates'
  pinectl commit --repo repo --ref alpine/x86_64/web --tree root \\
      --bootable --layout layouts/vm.cfg --sign-key release.secret
  pinectl commit --repo repo --ref alpine/x86_64/web --tree tar=alpine-minirootfs.tar.gz \\
      --tree tar=pine-overlay.tar.gz --tree dir=site
  pinectl commit --repo repo --ref alpine/x86_64/web --tree ref=alpine/x86_64/web \\
      --tree apk=nginx-1.24.0-r16.apk --apk-keys root/etc/apk/keys
  pinectl commit --repo repo --ref alpine/x86_64/web --tree root --bootable --expand-compressed
  pinectl commit --repo repo --ref alpine/x86_64/web --tree root --filter small.filter \\
      --skip-if-unchanged
  pinectl commit --repo repo --ref alpine/x86_64/web --tree root --recipe ~/recipes/web \\
      --require-clean
  pinectl commit --repo repo -b test --timestamp=@1700000000 --no-image folder

More: docs/repository.md`,
    )
    .action(commit);
}

async function commit(argument: string | undefined, options: Options): Promise<void> {
  keepHeapSmall();
  const repository = await openRepository(options);
  const { recipe, notes: ofRecipe } = await readRecipeOption(options);
  const commitOptions = {
    ...(await readOptions(options)),
    ...(recipe === undefined ? {} : { recipe }),
  };
  const sources = treeSources(argument, options.tree);
  const rules = await readFilter(options.filter);
  const opened = await openSources(repository, sources, options);
  let expansion: OpenedExpansion | undefined;
  try {
    const left = opened.skipped.map((path) => `${path} is left out: a commit holds no devices`);
    const { dropped, unused } = applyFilter(opened.tree, rules);
    const filtered = dropped > 0 ? [`names left out by the filter: ${dropped}`] : [];
    const idle = unused.map(({ line, text }) => `line ${line} of the filter met nothing: ${text}`);
    if (options.expandCompressed) expansion = await expand(repository, opened.tree);
    const expanded = expansion === undefined ? [] : expansionNotes(expansion);
    const notes = [...ofRecipe, ...filtered, ...expanded, ...idle, ...opened.notes, ...left];
    const more = expansion === undefined ? {} : { expanded: expansionJson(expansion) };
    await makeCommit(repository, opened.tree, commitOptions, notes, options, more);
  } finally {
    expansion?.close();
    opened.close();
  }
}

async function readFilter(path: string | undefined): Promise<FilterRule[]> {
  const largestFilter = 1024 * 1024;
  return path === undefined ? [] : parseFilter(await readText(path, largestFilter), path);
}

function treeSources(argument: string | undefined, trees: readonly TreeSource[] = []) {
  const folder = argument === undefined ? [] : [{ kind: 'dir', name: argument } as const];
  const sources = [...folder, ...trees];
  if (sources.length > 0) return sources;
  return parseTree(needed(undefined, 'tree', 'a folder, or --tree SOURCE'));
}

async function readOptions(options: Options): Promise<CommitOptions> {
  const { parent, subject, body, addMetadataString } = options;
  return {
    ...(await readNewCommit(options)),
    ref: needed(options.ref ?? options.branch, 'ref', '--ref NAME'),
    timestamp: options.timestamp ?? defaultTimestamp(systemClock.now()),
    image: options.image,
    skipIfUnchanged: options.skipIfUnchanged ?? false,
    ...(parent === undefined ? {} : { parent }),
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined ? {} : { body }),
    ...(addMetadataString === undefined ? {} : { metadata: addMetadataString }),
  };
}

function needed(value: string | undefined, what: string, how: string): string {
  if (value !== undefined && value !== '') return value;
  throw new PineError('USAGE_COMMAND_LINE', `it is not said which ${what}`, {
    expected: how,
    found: 'nothing',
    where: 'the command line',
    remedy: 'run `pinectl commit --help`',
  });
}
