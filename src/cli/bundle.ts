import type { Command } from 'commander';
import { collect } from './commit-options.ts';
import { addMachineOptions } from './machine-options.ts';
import { repositoryOptions } from './repository-option.ts';
import { addUpgradeOptions } from './upgrade.ts';

/** `pinectl bundle`: one file that has all of an update. */
export function define(command: Command): void {
  repositoryOptions(command.command('create'))
    .description('write the commit of a ref, its signatures and deltas to it into one file')
    .argument('<ref>', 'the ref that machines follow')
    .requiredOption('-o, --output <file>', 'the bundle, replaced when it is whole')
    .option('--from <commit>', 'with the delta from this one; may be repeated', collect)
    .option('--full', "with the delta from nothing (so it is without --from, and with --from '')")
    .option('--sign-key <file>', 'sign deltas that are not there yet; may be repeated', collect)
    .addHelpText(
      'after',
      `
Deltas that the repository has are taken if --sign-key signed them, others are made.

Examples:
  pinectl bundle create --repo repo alpine/x86_64/web -o web.bundle --sign-key release.secret
  pinectl bundle create --repo repo alpine/x86_64/web -o web.bundle --from alpine/x86_64/web^`,
    )
    .action(async (ref, options) => (await import('./bundle-create.ts')).create(ref, options));
  command
    .command('show')
    .description('check a bundle, and tell what is in it')
    .argument('<file>', 'the bundle')
    .option('--key <file>', 'a .pub file that must have signed it; may be repeated', collect)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  pinectl bundle show web.bundle --key release.pub')
    .action(async (file, options) => (await import('./bundle-show.ts')).show(file, options));
  addUpgradeOptions(addMachineOptions(command.command('apply')))
    .description('upgrade this machine from a bundle, or bring its commit into a repository')
    .argument('<file>', 'the bundle')
    .option('--repo <path>', 'the repository, instead of this machine')
    .option('--key <file>', 'with --repo: a .pub file that must have signed it', collect)
    .option('--unsigned', 'with --repo: take it without a signature')
    .option('--force', 'with --repo: also what is older than what the ref names')
    .addHelpText(
      'after',
      `
On a machine it is the same as \`pinectl upgrade --bundle FILE\`, with all its checks.

Examples:
  pinectl bundle apply /media/usb/web.bundle
  pinectl bundle apply web.bundle --repo repo --key release.pub`,
    )
    .action(async (file, options) => (await import('./bundle-apply.ts')).apply(file, options));
  command.addHelpText('after', '\nMore: docs/bundles.md');
}
