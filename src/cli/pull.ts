import { type Command, InvalidArgumentError } from 'commander';
import { makePlanAgain } from '../build/remake-plan.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { openSource } from '../remote/open-source.ts';
import { pull } from '../remote/pull/pull.ts';
import { readTrustedKeys } from '../trust/key-folder.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly mirror?: boolean;
  readonly remoteName: string;
  readonly depth: number;
  readonly keys?: string;
}

/** `pinectl pull`: commits of another repository come into this one. */
export function define(command: Command): void {
  repositoryOptions(command)
    .argument('<remote>', 'a repository: an http(s) URL or a path')
    .argument('[refs...]', 'refs or checksums of commits (default: all refs)')
    .option('--mirror', 'refs keep their names, instead of becoming NAME:REF, and deltas come too')
    .option('--remote-name <name>', 'the NAME that refs get in front', 'origin')
    .option('--depth <number>', 'so many parents of each commit too; -1 for all', parseDepth, 0)
    .option(
      '--keys <folder>',
      'take only commits and deltas that a key (*.pub) of this folder signed',
    )
    .addHelpText(
      'after',
      `
Every object is checked before it is stored, and refs are set last. A pull that was cut goes on where
it stopped when it is run again. With --mirror everything comes that machines ask for, deltas too; a delta
that is damaged, or not signed by --keys, is left out and named. Without refs, a remote over HTTP needs a
summary (\`pinectl summary\`).

Examples:
  pinectl pull --repo repo https://updates.example.org/repo alpine/x86_64/web
  pinectl pull --repo mirror --mirror --depth -1 https://updates.example.org/repo
  pinectl pull --repo repo --keys /etc/pine/keys /media/stick/repo alpine/x86_64/web`,
    )
    .action(run);
}

async function run(from: string, names: readonly string[], options: Options): Promise<void> {
  const repository = await openRepository(options);
  const keys =
    options.keys === undefined ? undefined : await readTrustedKeys(nodeFileSystem, options.keys);
  const source = await openSource(from);
  const progress = terminalProgress();
  try {
    const result = await pull(repository, source, {
      names,
      remoteName: options.mirror ? undefined : options.remoteName,
      depth: options.depth,
      deltas: options.mirror ?? false,
      makePlan: makePlanAgain,
      progress: progress.report,
      ...(keys === undefined ? {} : { keys }),
    });
    progress.end();
    const { refs, commits, objects, deltas, bytes, refused } = result;
    for (const { what, error } of refused)
      process.stderr.write(`${what} did not come: ${error.toText()}\n`);
    print(options.json, result, () =>
      [
        ...Object.entries(refs).map(([ref, commit]) => `${commit}  ${ref}`),
        `${commits.length} commits, ${objects} files and ${deltas} deltas fetched, ${formatBytes(bytes)}`,
      ].join('\n'),
    );
  } finally {
    progress.end();
    await source.close();
  }
}

function parseDepth(text: string): number {
  if (/^(-1|\d{1,9})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 0 on, or -1 for all.');
}
