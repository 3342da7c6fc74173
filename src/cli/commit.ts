import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { dropAcls } from '../build/acl.ts';
import type { CommitOptions, CommitResult } from '../build/commit-options.ts';
import { commitTree } from '../build/commit-tree.ts';
import { openSources, type TreeSource } from '../build/sources/open-sources.ts';
import { parseLayout } from '../disk/layout.ts';
import { PineError } from '../error.ts';
import { systemClock } from '../ports/clock.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import type { Dictionary } from '../repo/gvariant/variant.ts';
import { keyFileLimit, parseSecretKey } from '../trust/key-file.ts';
import {
  collect,
  defaultTimestamp,
  parseId,
  parseMetadataString,
  parseTimestamp,
  parseTree,
} from './commit-options.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly ref?: string;
  readonly branch?: string;
  readonly bindRef?: readonly string[];
  readonly tree?: readonly TreeSource[];
  readonly parent?: string;
  readonly subject?: string;
  readonly body?: string;
  readonly timestamp?: number;
  readonly addMetadataString?: Dictionary;
  readonly ownerUid?: number;
  readonly ownerGid?: number;
  readonly signKey?: readonly string[];
  readonly bootable?: boolean;
  readonly kernel?: string;
  readonly module?: readonly string[];
  readonly layout?: readonly string[];
  readonly allowIdChange?: boolean;
  readonly skipSpecial?: boolean;
  readonly dropAcls?: boolean;
  readonly image: boolean;
}

/** `pinectl commit`: a folder becomes a commit. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('[folder]', 'the root of the tree, the same as --tree')
    .option('--ref <name>', 'the ref that moves to the new commit')
    .addOption(new Option('-b, --branch <name>', 'the same as --ref, as with ostree'))
    .option('--bind-ref <name>', 'a ref that it may be promoted to; may be repeated', collect)
    .option(
      '--tree <source>',
      'dir=FOLDER, tar=FILE or ref=COMMIT, laid over those before',
      parseTree,
    )
    .option('--parent <commit>', 'what it follows, or `none` (default: what the ref points to)')
    .option('-s, --subject <text>', 'one line about it')
    .option('-m, --body <text>', 'more about it')
    .option('--timestamp <time>', 'its time: @SECONDS or ISO 8601 (default: now)', parseTimestamp)
    .option('--add-metadata-string <key=value>', 'goes into the metadata', parseMetadataString)
    .option('--owner-uid <uid>', 'everything belongs to this user', parseId)
    .option('--owner-gid <gid>', 'everything belongs to this group', parseId)
    .option('--sign-key <file>', 'sign with a .secret file; may be repeated', collect)
    .option('--bootable', 'add what a machine boots with: initramfs, GRUB script, hashes')
    .option('--kernel <path>', 'which kernel of the tree, with --bootable')
    .option('--module <name>', 'one more module in the initramfs; may be repeated', collect)
    .option('--layout <file>', 'refuse an image that its slots cannot hold; repeatable', collect)
    .option('--allow-id-change', 'accept accounts with other numbers than in the parent')
    .option('--skip-special', 'leave out devices, sockets and fifos outside of /dev too')
    .option('--drop-acls', 'leave out POSIX ACLs, which an image cannot hold')
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
  pinectl commit --repo repo -b test --timestamp=@1700000000 --no-image folder

More: docs/repository.md`,
    )
    .action(commit);
}

async function commit(argument: string | undefined, options: Options): Promise<void> {
  const repository = await openRepository(options);
  const commitOptions = await readOptions(options);
  const sources = treeSources(argument, options.tree);
  const progress = terminalProgress();
  const opened = await openSources(repository, sources, options);
  try {
    const { tree, skipped } = opened;
    const notes = skipped.map((path) => `${path} is left out: a commit holds no devices`);
    if (options.dropAcls) {
      notes.push(...dropAcls(tree).map((path) => `${path} is committed without its ACL`));
    }
    const result = await commitTree(repository, tree, {
      ...commitOptions,
      progress: progress.report,
    });
    progress.end();
    for (const note of [...summarize(notes), ...result.notes]) process.stderr.write(`${note}\n`);
    report(options, result);
  } finally {
    progress.end();
    opened.close();
  }
}

function treeSources(argument: string | undefined, trees: readonly TreeSource[] = []) {
  const folder = argument === undefined ? [] : [{ kind: 'dir', name: argument } as const];
  const sources = [...folder, ...trees];
  if (sources.length > 0) return sources;
  return parseTree(needed(undefined, 'tree', 'a folder, or --tree SOURCE'));
}

async function readOptions(options: Options): Promise<CommitOptions> {
  const { parent, subject, body, addMetadataString, kernel, allowIdChange } = options;
  const { module: extraModules } = options;
  return {
    ref: needed(options.ref ?? options.branch, 'ref', '--ref NAME'),
    timestamp: options.timestamp ?? defaultTimestamp(systemClock.now()),
    bindRefs: options.bindRef ?? [],
    image: options.image,
    signKeys: await Promise.all((options.signKey ?? []).map(readSecretKey)),
    slots: await Promise.all((options.layout ?? []).map(readLayout)),
    ...(parent === undefined ? {} : { parent }),
    ...(subject === undefined ? {} : { subject }),
    ...(body === undefined ? {} : { body }),
    ...(addMetadataString === undefined ? {} : { metadata: addMetadataString }),
    ...(options.bootable
      ? {
          bootable: {
            ...(kernel === undefined ? {} : { kernel }),
            ...(extraModules === undefined ? {} : { extraModules }),
            ...(allowIdChange === undefined ? {} : { allowIdChange }),
          },
        }
      : {}),
  };
}

function report(options: Options, result: CommitResult): void {
  const { statistics, image } = result;
  if (!options.json) {
    process.stderr.write(
      [
        `Metadata: ${statistics.metadataWritten} written of ${statistics.metadataTotal}`,
        `Content: ${statistics.contentWritten} written of ${statistics.contentTotal}, ${formatBytes(statistics.contentBytesWritten)}`,
        ...(image === undefined ? [] : [`Image: ${formatBytes(image.size)}, ${image.sha256}`]),
        '',
      ].join('\n'),
    );
  }
  print(options.json, result, () => result.commit);
}

/** A few paths say what is meant; a thousand would hide it. */
function summarize(notes: readonly string[]): string[] {
  const shown = 10;
  if (notes.length <= shown) return [...notes];
  return [...notes.slice(0, shown), `… and ${notes.length - shown} more`];
}

async function readSecretKey(path: string) {
  return parseSecretKey(await readText(path, keyFileLimit), path);
}

async function readLayout(path: string) {
  const largestLayout = 64 * 1024;
  return parseLayout(await readText(path, largestLayout), basename(path));
}

async function readText(path: string, limit: number): Promise<string> {
  const bytes = await nodeFileSystem.readFile(path, limit);
  if (bytes !== undefined) return bytes.toString();
  throw new PineError('NOT_FOUND_FILE', 'there is no such file', {
    expected: 'a file',
    found: 'nothing',
    where: path,
    remedy: 'check the path',
  });
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
