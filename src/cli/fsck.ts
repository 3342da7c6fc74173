import type { Command } from 'commander';
import { PineError } from '../error.ts';
import type { Progress } from '../ports/progress.ts';
import { checkRepository, type FsckProblem, type FsckReport } from '../repo/fsck.ts';
import type { Repository } from '../repo/repository.ts';
import { endsOf } from './delta-ends.ts';
import { print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions, repositoryOptions } from './repository-option.ts';
import { keepHeapSmall } from './small-heap.ts';

interface Options extends RepositoryOptions {
  readonly repair?: boolean;
  readonly remote?: string;
}

/** `pinectl fsck`: reads everything and says what is damaged. */
export function define(command: Command): void {
  repositoryOptions(command)
    .option('--repair', 'put back what can be had, and drop what is damaged')
    .option('--remote <remote>', 'a repository with the same objects: an http(s) URL or a path')
    .addHelpText(
      'after',
      `
Every commit is read with all that it leads to, and every delta; every checksum is computed again.
--repair makes plans again, removes damaged deltas, and fetches objects from --remote. A damaged object
that it can't replace is removed, and the commits that lead to it are marked as being there in part, as
\`ostree fsck --delete\` does: then \`pull\` and \`commit\` bring it again. Ends with exit
status 4 and CORRUPT_REPOSITORY when something is (still) damaged or missing.

Examples:
  pinectl fsck --repo repo
  pinectl fsck --repo repo --repair --json
  pinectl fsck --repo repo --repair --remote https://updates.example.org/repo`,
    )
    .action(fsck);
}

async function fsck(options: Options): Promise<void> {
  keepHeapSmall();
  const repository = await openRepository(options);
  const progress = terminalProgress();
  const { report, repaired, dropped, marked, deltas } = await (options.repair
    ? repair(repository, options.remote, progress.report)
    : check(repository, progress.report)
  ).finally(progress.end);
  const { commits, partial, objects } = report;
  const problems = [...report.problems, ...deltas];
  print(options.json, { commits, partial, objects, repaired, dropped, marked, problems }, () =>
    [
      ...repaired.map((name) => `repaired: ${name}`),
      ...dropped.map((name) => `dropped: ${name}`),
      ...marked.map((name) => `marked as there in part: ${name}`),
      ...problems.map(({ kind, name, error }) => `${error.code} ${name}.${kind}: ${error.message}`),
      `${commits} commits, ${objects} objects checked, ${problems.length} problems`,
      ...(partial > 0 ? [`${partial} commits are there in part only`] : []),
      ...(problems.length === 0 && report.marked > 0 && !options.repair
        ? [`${report.marked} commits that were damaged are whole: --repair takes their mark away`]
        : []),
    ].join('\n'),
  );
  if (problems.length === 0) return;
  throw new PineError('CORRUPT_REPOSITORY', 'the repository is damaged', {
    expected: `${objects} objects as their names say`,
    found: `${problems.length} problems`,
    where: repository.path,
    remedy: remedyFor(problems, marked),
  });
}

/** A delta that is not what its name and its hashes say. */
interface DeltaProblem {
  readonly kind: 'delta';
  /** FROM..TO. */
  readonly name: string;
  readonly error: PineError;
}

function remedyFor(
  problems: readonly (FsckProblem | DeltaProblem)[],
  marked: readonly string[],
): string {
  if (marked.length > 0)
    return '`pinectl pull --depth -1` from where they are whole, or commit the trees again';
  return problems.some(({ kind }) => kind !== 'plan' && kind !== 'delta')
    ? 'run `pinectl fsck --repair --remote REMOTE` with a whole repository; without --remote what is damaged is dropped'
    : 'run `pinectl fsck --repair`';
}

async function check(repository: Repository, progress: Progress) {
  const report: FsckReport = await checkRepository(repository, progress);
  const nothing: readonly string[] = [];
  const deltas = await checkDeltas(repository, progress);
  return { report, repaired: nothing, dropped: nothing, marked: nothing, deltas };
}

async function checkDeltas(repository: Repository, progress: Progress): Promise<DeltaProblem[]> {
  const { findDamagedDeltas } = await import('../delta/check-stored.ts');
  const damaged = await findDamagedDeltas(repository, progress);
  return damaged.map((delta) => ({ kind: 'delta', name: endsOf(delta), error: delta.error }));
}

async function repair(repository: Repository, remote: string | undefined, progress: Progress) {
  const { remakePlan } = await import('../build/remake-plan.ts');
  const { openSource } = await import('../remote/open-source.ts');
  const { repairRepository } = await import('../remote/repair.ts');
  const source = remote === undefined ? undefined : await openSource(remote);
  try {
    const result = await repairRepository(repository, { source, remakePlan, progress });
    // A delta can be made again, and machines get on without.
    const { dropDamagedDeltas } = await import('../delta/check-stored.ts');
    const gone = (await dropDamagedDeltas(repository, progress)).map(endsOf);
    return { ...result, dropped: [...result.dropped, ...gone], deltas: [] };
  } finally {
    await source?.close();
  }
}
