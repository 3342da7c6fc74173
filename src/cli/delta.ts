import { type Command, InvalidArgumentError } from 'commander';
import { repositoryOptions } from './repository-option.ts';

/** `pinectl delta`: the difference between two commits' images, for machines that have the one. */
export function define(command: Command): void {
  const collect = (value: string, all: readonly string[] = []) => [...all, value];
  repositoryOptions(command.command('generate'))
    .description('make the delta from one commit to another, and put it into the repository')
    .option(
      '--from <commit>',
      "a ref or checksum (default: the parent), or '' for one from nothing",
    )
    .requiredOption('--to <commit>', 'a ref or checksum')
    .option('--depth <n>', 'from each of so many commits before (default: 1); not with --from')
    .option('--sign-key <file>', 'sign with a .secret file; may be repeated', collect)
    .option('--force', 'make it again even when it is there and good')
    .option('--best', 'smaller by some per cent, in up to twice the time')
    .addHelpText(
      'after',
      `
Machines take only deltas that one of their keys signed.

Examples:
  pinectl delta generate --repo repo --to alpine/x86_64/web --sign-key release.secret
  pinectl delta generate --repo repo --to alpine/x86_64/web --depth 5 --sign-key release.secret
  pinectl delta generate --repo repo --to alpine/x86_64/web --from '' --sign-key release.secret`,
    )
    .action(async (options) => (await import('./delta-generate.ts')).generate(options));
  repositoryOptions(command.command('list'))
    .description('list the deltas of a repository')
    .addHelpText('after', '\nExample:\n  pinectl delta list --repo repo --json')
    .action(async (options) => (await import('./delta-list.ts')).list(options));
  repositoryOptions(command.command('show'))
    .description('tell what is in a delta: bytes by kind, and the files that take most')
    .argument('<delta>', 'a .delta file, or FROM..TO of the repository')
    .option('--top <n>', 'so many files', parseCount, 10)
    .addHelpText(
      'after',
      `
Examples:
  pinectl delta show --repo repo alpine/x86_64/web^..alpine/x86_64/web
  pinectl delta show update.delta --top 30`,
    )
    .action(async (name, options) => (await import('./delta-show.ts')).show(name, options));
  repositoryOptions(command.command('apply'))
    .description('make the new image of the old one')
    .argument('<delta>', 'a .delta file, or FROM..TO of the repository')
    .option('--from <old>', 'the old image: a file, a slot, or a repository that has its commit')
    .requiredOption('-o, --output <file>', 'the file to write, replaced when it is whole')
    .option('--key <file>', 'a .pub file that must have signed it; may be repeated', collect)
    .option('--unsigned', 'take it without a signature: for a delta that you made yourself')
    .addHelpText(
      'after',
      `
A delta from nothing needs no --from.

Examples:
  pinectl delta apply update.delta --key release.pub --from old.squashfs -o new.squashfs
  pinectl delta apply update.delta --key release.pub --from /srv/repo -o new.squashfs`,
    )
    .action(async (name, options) => (await import('./delta-apply.ts')).apply(name, options));
  repositoryOptions(command.command('prune'))
    .description('remove deltas that lead to no commit of a ref')
    .option('--depth <n>', 'keep chains of so many deltas, 1 to 8', '8')
    .option('--dry-run', 'only tell')
    .addHelpText(
      'after',
      `
Examples:
  pinectl delta prune --repo repo --dry-run
  pinectl delta prune --repo repo --depth 1      keep only what leads straight to the commit of a ref`,
    )
    .action(async (options) => (await import('./delta-list.ts')).prune(options));
  command.addHelpText('after', '\nMore: docs/deltas.md');
}

function parseCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number.');
}
