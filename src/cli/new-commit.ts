import { basename } from 'node:path';
import type { Command } from 'commander';
import { dropAcls } from '../build/acl.ts';
import type { CommitOptions, CommitResult, CommitStatistics } from '../build/commit-options.ts';
import { commitTree } from '../build/commit-tree.ts';
import type { SourceTree } from '../build/source-tree.ts';
import { parseLayout } from '../disk/layout.ts';
import type { Repository } from '../repo/repository.ts';
import { collect, parseTimestamp } from './commit-options.ts';
import { readText } from './input-file.ts';
import { readSecretKeys } from './key-files.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { type RepositoryOptions, repositoryOptions } from './repository-option.ts';

/** Options of every command that makes a commit. */
export interface NewCommitOptions extends RepositoryOptions {
  readonly bindRef?: readonly string[];
  readonly timestamp?: number;
  readonly signKey?: readonly string[];
  readonly bootable?: boolean;
  readonly kernel?: string;
  readonly module?: readonly string[];
  readonly layout?: readonly string[];
  readonly allowIdChange?: boolean;
  readonly dropAcls?: boolean;
}

/** Adds them, with those of every command that works on a repository. */
export function newCommitOptions(command: Command): Command {
  return repositoryOptions(command)
    .option('--bind-ref <name>', 'a ref that it may be promoted to; may be repeated', collect)
    .option('--timestamp <time>', 'its time: @SECONDS or ISO 8601 (default: now)', parseTimestamp)
    .option('--sign-key <file>', 'sign with a .secret file; may be repeated', collect)
    .option('--bootable', 'add what a machine boots with: initramfs, GRUB script, hashes')
    .option('--kernel <path>', 'which kernel of the tree, with --bootable')
    .option('--module <name>', 'one more module in the initramfs; may be repeated', collect)
    .option('--layout <file>', 'refuse an image that its slots cannot hold; repeatable', collect)
    .option('--allow-id-change', 'accept accounts with other numbers than in the parent')
    .option('--drop-acls', 'leave out POSIX ACLs, which an image cannot hold');
}

/** What they say, keys and layouts read. Throws NOT_FOUND_FILE and as their parsers do. */
export async function readNewCommit(options: NewCommitOptions) {
  const { kernel, module: extraModules, allowIdChange } = options;
  return {
    bindRefs: options.bindRef ?? [],
    signKeys: await readSecretKeys(options.signKey),
    slots: await Promise.all((options.layout ?? []).map(readLayout)),
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

/**
 * Commits a tree and tells what came of it: the checksum on stdout, everything else on stderr. `more`
 * is told with --json beside the result.
 */
export async function makeCommit(
  repository: Repository,
  tree: SourceTree,
  commitOptions: CommitOptions,
  notes: readonly string[],
  options: NewCommitOptions,
  more: object = {},
): Promise<void> {
  const progress = terminalProgress();
  const acls = options.dropAcls
    ? dropAcls(tree).map((path) => `${path} is committed without its ACL`)
    : [];
  const all = { ...commitOptions, progress: progress.report };
  const result = await commitTree(repository, tree, all).finally(progress.end);
  const told = [...summarize([...notes, ...acls]), ...result.notes];
  for (const note of told) process.stderr.write(`${note}\n`);
  report(options, result, more);
}

function report(options: NewCommitOptions, result: CommitResult, more: object): void {
  const { statistics, image } = result;
  if (result.unchanged) {
    process.stderr.write('Nothing changed: no commit was made\n');
  } else if (!options.json) {
    process.stderr.write(
      [
        ...statisticsText(statistics),
        ...(image === undefined ? [] : [`Image: ${formatBytes(image.size)}, ${image.sha256}`]),
        '',
      ].join('\n'),
    );
  }
  print(options.json, { ...result, ...more }, () => result.commit);
}

/** Objects, new ones, bytes, and what did not have to be stored. */
function statisticsText(all: CommitStatistics): string[] {
  const objects = all.metadataTotal + all.contentTotal;
  const written = all.metadataWritten + all.contentWritten;
  const { contentBytesTotal, contentBytesWritten, contentBytesSaved } = all;
  const part = contentBytesTotal === 0 ? 0 : (100 * contentBytesSaved) / contentBytesTotal;
  return [
    `Objects: ${objects}, ${written} new (${all.metadataWritten} of ${all.metadataTotal} for folders, ${all.contentWritten} of ${all.contentTotal} for files)`,
    `Bytes: ${formatBytes(contentBytesTotal)}, ${formatBytes(contentBytesWritten)} new, ${formatBytes(contentBytesSaved)} (${Math.floor(part)} %) saved by deduplication`,
  ];
}

/** A few paths say what is meant; a thousand would hide it. */
function summarize(notes: readonly string[]): string[] {
  const shown = 10;
  if (notes.length <= shown) return [...notes];
  return [...notes.slice(0, shown), `… and ${notes.length - shown} more`];
}

async function readLayout(path: string) {
  const largestLayout = 64 * 1024;
  return parseLayout(await readText(path, largestLayout), basename(path));
}
