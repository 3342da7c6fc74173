import { type Command, InvalidArgumentError } from 'commander';
import { systemClock } from '../ports/clock.ts';
import { prune } from '../repo/prune.ts';
import { parseTimestamp } from './commit-options.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';
import { keepHeapSmall } from './small-heap.ts';

interface Options extends RepositoryOptions {
  readonly refsOnly?: boolean;
  readonly depth?: number;
  readonly keepYoungerThan?: number;
  readonly dryRun?: boolean;
}

/** `pinectl prune`: removes what nothing needs. */
export function define(command: Command): void {
  repositoryOptions(command)
    .option('--refs-only', 'remove commits that no ref leads to')
    .option('--depth <number>', 'keep so many parents of each ref, no more; -1 for all', parseDepth)
    .option(
      '--keep-younger-than <time>',
      'keep commits of this time or later, and what refs point to: 30d, 12h, @SECONDS, ISO 8601',
      parseAge,
    )
    .option('-n, --dry-run', 'only say what would go')
    .addHelpText(
      'after',
      `
Without options only objects go that no commit needs, such as those of a pull that was given up.
--depth and --keep-younger-than imply --refs-only; with both, what either keeps stays. What a ref points
to and what a delta lies between always stay. Plans and signatures go with their commits.

Examples:
  pinectl prune --repo repo
  pinectl prune --repo repo --depth 10 --dry-run
  pinectl prune --repo repo --keep-younger-than 90d`,
    )
    .action(run);
}

async function run(options: Options): Promise<void> {
  keepHeapSmall();
  const repository = await openRepository(options);
  const { refsOnly = false, depth, keepYoungerThan, dryRun = false } = options;
  const progress = terminalProgress();
  const result = await prune(repository, {
    refsOnly: refsOnly || depth !== undefined || keepYoungerThan !== undefined,
    depth: depth ?? (keepYoungerThan === undefined ? -1 : 0),
    dryRun,
    progress: progress.report,
    ...(keepYoungerThan === undefined ? {} : { keepSince: keepYoungerThan }),
  }).finally(progress.end);
  const { total, removed, commits, bytes } = result;
  print(options.json, { ...result, dryRun }, () =>
    [
      ...commits.map((commit) => `commit ${commit}`),
      `${removed} of ${total} objects ${dryRun ? 'would go' : 'removed'} (${commits.length} commits), ${formatBytes(bytes)}`,
    ].join('\n'),
  );
}

function parseDepth(text: string): number {
  if (/^(-1|\d{1,9})$/.test(text)) return Number(text);
  throw new InvalidArgumentError('expected a number from 0 on, or -1 for all.');
}

/** Seconds since 1970, from a time or an age. */
function parseAge(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,6})([smhdw])$/.exec(text) ?? [];
  const seconds = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }[unit];
  return seconds === undefined
    ? parseTimestamp(text)
    : systemClock.now() - Number(number) * seconds;
}
