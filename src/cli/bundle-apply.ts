import { PineError } from '../error.ts';
import type { UpgradeCommandOptions } from './upgrade.ts';

interface Options extends UpgradeCommandOptions {
  readonly repo?: string;
  readonly key?: readonly string[];
  readonly unsigned?: boolean;
  readonly force?: boolean;
}

/** `pinectl bundle apply`: on a machine an upgrade, with --repo an import. */
export async function apply(path: string, options: Options): Promise<void> {
  const { repo, key, unsigned, force } = options;
  if (repo !== undefined) return importInto(path, options);
  if (key !== undefined || unsigned || force) {
    throw new PineError('USAGE_COMMAND_LINE', '--key, --unsigned and --force belong to --repo', {
      expected: 'a machine takes what its own keys signed: /etc/pine/keys',
      found: 'one of them without --repo',
      where: 'the command line',
      remedy: 'run `pinectl bundle apply --help`',
    });
  }
  const { runUpgrade } = await import('./upgrade.ts');
  await runUpgrade({ ...options, bundle: path });
}

/** Options that a repository has no use for: `--plan` would do the very thing that it is not to do. */
const ofMachines = [
  ...(['check', 'plan', 'strict', 'retry', 'allowDowngrade'] as const),
  ...(['disk', 'state', 'running', 'skipped', 'config'] as const),
];

async function importInto(path: string, options: Options): Promise<void> {
  if (!options.reboot || ofMachines.some((name) => options[name] !== undefined)) {
    throw new PineError('USAGE_COMMAND_LINE', '--repo is for a repository, not for a machine', {
      expected: '--repo with --key, --unsigned, --force and --json only',
      found: 'an option of an upgrade beside it',
      where: 'the command line',
      remedy: 'run `pinectl bundle apply --help`; `pinectl bundle show` tells what is in a bundle',
    });
  }
  const { importBundle } = await import('../bundle/import-bundle.ts');
  const { withBundle } = await import('./bundle-input.ts');
  const { readSigners } = await import('./key-files.ts');
  const { print } = await import('./output.ts');
  const { terminalProgress } = await import('./progress.ts');
  const { openRepository } = await import('./repository-option.ts');
  const repository = await openRepository(options);
  const keys = await readSigners(options);
  const { force = false } = options;
  const progress = terminalProgress();
  try {
    const result = await withBundle(path, (bundle, remote) =>
      importBundle(repository, bundle, remote, { keys, force, progress: progress.report }),
    );
    progress.end();
    const { ref, commit, objects, deltas } = result;
    print(
      options.json,
      result,
      () => `${commit}  ${ref}\n${objects} new objects, ${deltas} deltas`,
    );
  } finally {
    progress.end();
  }
}
