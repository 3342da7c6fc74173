import type { Command } from 'commander';
import { addMachineOptions } from './machine-options.ts';

/** `pinectl state`: which paths stay when the release changes. */
export function define(command: Command): void {
  addMachineOptions(command.command('list'))
    .description('which paths stay when the release changes, and where their contents are')
    .addHelpText('after', '\nExample:\n  pinectl state list --json | jq .paths')
    .action(async (options) => (await import('./state-list.ts')).list(options));
  addMachineOptions(command.command('add'))
    .description('make a folder of the image stay, from the next boot on')
    .argument('<path>', 'an absolute path')
    .addHelpText(
      'after',
      `
It becomes a line of /etc/pine/state.list. At the next boot the folder is filled once with what
the image has there; what later releases ship there is not seen any more.

Example:
  pinectl state add /usr/share/webapps`,
    )
    .action(async (path, options) => (await import('./state-add.ts')).add(path, options));
  command
    .command('check')
    .description('find files that were written to places that a reboot forgets')
    .option('--all', 'look into /tmp too')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit status 1: there are such files.\n\nExample:\n  pinectl state check && reboot',
    )
    .action(async (options) => (await import('./state-check.ts')).check(options));
  command
    .command('grow')
    .description('let the data partition fill a disk that has grown; each boot does it too')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit status 1: it could not. Nothing is lost then.\n\nExample:\n  pinectl state grow && df -h /data',
    )
    .action(async (options) => (await import('./state-grow.ts')).grow(options));
  command.addHelpText('after', '\nMore: docs/state.md');
}
