import type { Command } from 'commander';
import { addMachineOptions } from './machine-options.ts';
import { parseCount } from './parse-count.ts';

/** `pinectl etc`: what of /etc is this machine's own, and what it was before. */
export function define(command: Command): void {
  addMachineOptions(command.command('status'))
    .description("what differs from the release's default, what is marked, and conflicts")
    .addHelpText('after', '\nExample:\n  pinectl etc status --json | jq .changes')
    .action(async (options) => (await import('./etc-status.ts')).status(options));
  addMachineOptions(command.command('diff'))
    .description('show what differs, line by line')
    .argument('[path]', 'only this file or folder: /etc/ssh, or ssh')
    .option('--from <revision>', 'from a recorded /etc instead of the default')
    .option('--to <revision>', 'to a recorded /etc instead of the one that is used')
    .option('--since-upgrade', 'what was changed since the last upgrade, also if it was left')
    .option('--secrets', 'print also what not everyone may read, such as shadow')
    .option('--name-only', 'only the paths')
    .addHelpText(
      'after',
      `
After a rollback, --since-upgrade offers what was changed in the deployment that was left.

Examples:
  pinectl etc diff ssh/sshd_config
  pinectl etc diff --from machine~1
  pinectl etc diff --since-upgrade | patch -d /etc -p1`,
    )
    .action(async (path, options) => (await import('./etc-diff.ts')).diff(path, options));
  addMachineOptions(command.command('log'))
    .description('list what was recorded, newest first')
    .argument('[path]', 'only where this file or folder changed')
    .option('--branch <name>', 'machine, shipped or upgrade', 'machine')
    .option('-n, --max-count <number>', 'at most so many', parseCount)
    .addHelpText(
      'after',
      '\nExamples:\n  pinectl etc log ssh/sshd_config\n  pinectl etc log --branch shipped',
    )
    .action(async (path, options) => (await import('./etc-log.ts')).log(path, options));
  addMachineOptions(command.command('show'))
    .description('show a recorded change, or a file as it was')
    .argument('<revision>', 'as `pinectl etc log` prints it; machine~1; shipped')
    .argument('[path]', 'print this file as it was then')
    .option('--name-only', 'only the paths')
    .addHelpText(
      'after',
      '\nExamples:\n  pinectl etc show machine\n  pinectl etc show 1a2b3c4d ssh/sshd_config',
    )
    .action(async (...[revision, path, options]) =>
      (await import('./etc-show.ts')).show(revision, path, options),
    );
  addMachineOptions(command.command('revert'))
    .description('bring a file or folder back, with mode and owner')
    .argument('<path>', 'ssh/sshd_config, or /etc/ssh/sshd_config')
    .option('--to <revision>', 'to a recorded /etc')
    .option('--default', 'to what the release ships (the standard)')
    .option('--force', 'also what was never recorded, such as shadow: it is lost then')
    .addHelpText(
      'after',
      `
What is there is recorded first. What was added is left alone.

Examples:
  pinectl etc revert ssh/sshd_config
  pinectl etc revert ssh --to machine~2`,
    )
    .action(async (path, options) => (await import('./etc-revert.ts')).revert(path, options));
  addMachineOptions(command.command('mark'))
    .description(
      'pin a path as local: an upgrade leaves it as it is, even if it equals the default',
    )
    .argument('[path]', 'ssh/sshd_config; without one: list what is marked')
    .option('--remove', 'no longer')
    .addHelpText('after', '\nExamples:\n  pinectl etc mark motd\n  pinectl etc mark --remove motd')
    .action(async (path, options) => (await import('./etc-mark.ts')).mark(path, options));
  addMachineOptions(command.command('resolve'))
    .description('settle a conflict that an upgrade has left')
    .argument('<path>', 'ssh/sshd_config, or /etc/ssh/sshd_config')
    .option('--keep', 'what is here counts: the file beside it goes (the standard)')
    .option('--take', "the release's side counts: what is here becomes NAME.pine-old")
    .addHelpText(
      'after',
      `
Merge the two by hand, then settle it; or take one side.

Examples:
  vi /etc/ssh/sshd_config /etc/ssh/sshd_config.pine-new && pinectl etc resolve ssh/sshd_config
  pinectl etc resolve --take motd`,
    )
    .action(async (path, options) => (await import('./etc-resolve.ts')).resolve(path, options));
  addMachineOptions(command.command('record'))
    .description('record /etc now, and verify what was recorded')
    .option('-m, --message <text>', 'why', '')
    .option(
      '--keep <number>',
      'forget all but so many (default: [etc] keep of pinectl.toml)',
      parseCount,
    )
    .addHelpText('after', '\nExample:\n  pinectl etc record -m "web server behind the proxy"')
    .action(async (options) => (await import('./etc-record.ts')).record(options));
  command.addHelpText('after', '\nMore: docs/etc-history.md');
}
