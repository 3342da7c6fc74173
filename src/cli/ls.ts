import type { Command } from 'commander';
import { printVariant } from '../repo/gvariant/print.ts';
import { type ListedEntry, type ListingDepth, listTree } from '../repo/list-tree.ts';
import { encodeXattrs } from '../repo/metadata-objects.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { visibleName } from './output.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly recursive?: boolean;
  readonly dironly?: boolean;
  readonly checksum?: boolean;
  readonly xattrs?: boolean;
  readonly nulFilenamesOnly?: boolean;
}

/** `pinectl ls`: what is in a commit. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<commit>', 'a ref, a checksum or its beginning, with ^ for the parent')
    .argument('[paths...]', 'what to list', ['/'])
    .option('-R, --recursive', 'everything below')
    .option('-d, --dironly', 'a directory itself, not what is in it')
    .option('-C, --checksum', 'print checksums')
    .option('-X, --xattrs', 'print extended attributes')
    .option('--nul-filenames-only', 'names only, each with a NUL behind it')
    .addHelpText(
      'after',
      `
Each line: type and mode, user, group, size, path. With --json one object a line.

Examples:
  pinectl ls --repo repo alpine/x86_64/web /etc
  pinectl ls --repo repo -R -C -X alpine/x86_64/web`,
    )
    .action(list);
}

async function list(name: string, paths: readonly string[], options: Options): Promise<void> {
  const repository = await openRepository(options);
  const commit = await resolveCommit(repository, name);
  const whole: ListingDepth = options.recursive ? 'all' : 'entries';
  for (const path of paths) {
    const depth = options.dironly ? 'self' : whole;
    for await (const entry of listTree(repository, commit, path, depth)) {
      process.stdout.write(options.json ? `${json(entry)}\n` : line(entry, options));
    }
  }
}

function line(entry: ListedEntry, options: Options): string {
  if (options.nulFilenamesOnly) return `${entry.path}\0`;
  const type = { file: '-', symlink: 'l', directory: 'd' }[entry.kind];
  const mode = (entry.mode & 0o7777).toString(8).padStart(5, '0');
  const size = String(entry.size).padStart(6);
  const words = [`${type}${mode}`, entry.uid, entry.gid, size];
  if (options.checksum) words.push(...entry.checksums);
  if (options.xattrs) {
    const xattrs = { type: 'a(ayay)', value: encodeXattrs(entry.xattrs) };
    words.push(`{ ${printVariant(xattrs)} }`);
  }
  words.push(visibleName(entry.path, process.stdout));
  if (entry.target !== undefined) words.push('->', visibleName(entry.target, process.stdout));
  return `${words.join(' ')}\n`;
}

function json({ xattrs, mode, ...entry }: ListedEntry): string {
  return JSON.stringify({
    ...entry,
    mode: `0${mode.toString(8)}`,
    xattrs: xattrs.map(({ name, value }) => [name, Buffer.from(value).toString('hex')]),
  });
}
