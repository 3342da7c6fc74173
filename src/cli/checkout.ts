import { basename } from 'node:path';
import type { Command } from 'commander';
import { checkOut } from '../repo/checkout.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';
import { untilSignal } from './until-signal.ts';

interface Options extends RepositoryOptions {
  readonly userMode?: boolean;
  readonly subpath?: string;
  readonly union?: boolean;
}

/** `pinectl checkout`: a commit becomes a folder. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .argument('[folder]', 'a new folder (default: the last part of the name)')
    .option('-U, --user-mode', 'leave owners and extended attributes alone')
    .option('--subpath <path>', 'only what is at this path of the commit')
    .option('--union', 'into a folder that is there: join folders, replace files')
    .addHelpText(
      'after',
      `
Owners and extended attributes can only be set by root. All times are the commit's. With --union folders
that were there keep owner, mode and time; nothing takes the place of a folder, and no link is followed.

Examples:
  pinectl checkout --repo repo alpine/x86_64/web root
  pinectl checkout --repo repo -U alpine/x86_64/web^ before
  pinectl checkout --repo repo --subpath /usr/share/nginx --union alpine/x86_64/web html`,
    )
    .action(checkout);
}

async function checkout(
  name: string,
  argument: string | undefined,
  options: Options,
): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  const folder = argument ?? basename(name.replaceAll('^', ''));
  const progress = terminalProgress();
  const { userMode = false, union = false, subpath = '/' } = options;
  try {
    const choice = { userMode, union, subpath, progress: progress.report };
    await untilSignal((stop) => checkOut(repository, commit, folder, { ...choice, stop }));
  } finally {
    progress.end();
  }
  print(options.json, { commit, folder }, () => '');
}
