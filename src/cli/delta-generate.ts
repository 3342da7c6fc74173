import { nothing } from '../delta/delta-path.ts';
import { maxSignatures } from '../delta/format/delta-format.ts';
import type { GeneratedDelta, GenerateOptions } from '../delta/generate.ts';
import { PineError } from '../error.ts';
import { readHistory } from '../repo/history.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { publicHalf } from '../trust/keys.ts';
import { endsOf, withNothing } from './delta-ends.ts';
import { readSecretKeys } from './key-files.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly from?: string;
  readonly to: string;
  readonly depth?: string;
  readonly signKey?: readonly string[];
  readonly force?: boolean;
  readonly best?: boolean;
}

/** `pinectl delta generate`. */
export async function generate(options: Options): Promise<void> {
  const { listDeltas } = await import('../delta/store.ts');
  const { isGoodEnough, isSigned } = await import('../delta/signed-by.ts');
  const repository = await openRepository(options);
  if (options.from !== undefined && options.depth !== undefined) {
    throw wrong('--from and --depth exclude each other', '--from or --depth', 'both');
  }
  const to = await resolveCommit(repository, options.to);
  const keys = await readSecretKeys(options.signKey);
  const present = options.force ? [] : await listDeltas(repository);
  const progress = terminalProgress();
  const effort = options.best ? 'best' : 'usual';
  const made: GeneratedDelta[] = [];
  const kept: string[] = [];
  try {
    for (const from of await commitsBefore(repository, to, options)) {
      const isThere = present.some((delta) => delta.from === from && delta.to === to);
      if (isThere && (await isGoodEnough(repository, { from, to }, keys.map(publicHalf)))) {
        kept.push(from);
      } else {
        made.push(
          await makeDelta(repository, { from, to }, { keys, effort, progress: progress.report }),
        );
      }
    }
  } finally {
    progress.end();
  }
  for (const ends of [...made, ...kept.map((from) => ({ from, to }))]) {
    if (await isSigned(repository, ends)) continue;
    process.stderr.write(`${endsOf(ends)} is not signed: machines will not take it (--sign-key)\n`);
  }
  const deltas = made.map(({ from, size }) => withNothing({ from, to, size }));
  print(options.json, { made: deltas, kept: kept.map((from) => withNothing({ from, to })) }, () =>
    [
      ...made.map((delta) => `${endsOf(delta)}  ${formatBytes(delta.size)}`),
      ...kept.map((from) => `${endsOf({ from, to })}  is there already`),
    ].join('\n'),
  );
}

/** Makes one delta, a full one included. Throws USAGE_COMMAND_LINE for more keys than signatures have room. */
export async function makeDelta(
  repository: Repository,
  ends: { readonly from: string; readonly to: string },
  options: GenerateOptions,
): Promise<GeneratedDelta> {
  const { keys } = options;
  if (keys.length > maxSignatures) {
    const expected = `--sign-key at most ${maxSignatures} times`;
    throw wrong('a delta has no room for that many signatures', expected, `${keys.length} times`);
  }
  if (ends.from === nothing) {
    const { generateFullDelta } = await import('../delta/generate-full.ts');
    return generateFullDelta(repository, ends.to, options);
  }
  const { generateDelta } = await import('../delta/generate.ts');
  return generateDelta(repository, ends, options);
}

async function commitsBefore(
  repository: Repository,
  to: string,
  { from, depth = '1' }: Options,
): Promise<string[]> {
  if (from === '') return [nothing];
  if (from !== undefined) return [await sourceOf(repository, from, to)];
  const count = Number(depth);
  if (!/^[1-9]\d{0,8}$/.test(depth)) {
    throw wrong('--depth is no number of commits', 'a whole number above 0', depth);
  }
  const { entries, missing } = await readHistory(repository, to, count + 1);
  const before = entries.slice(1).map(({ checksum }) => checksum);
  if (before.length > 0) return before;
  if (missing !== undefined) {
    throw new PineError('NOT_FOUND_COMMIT', 'the parent is not in this repository', {
      expected: `commit ${missing}, the parent of ${to}`,
      found: 'nothing',
      where: repository.path,
      remedy: "fetch it with `pinectl pull`, or make one from another: --from COMMIT, or --from ''",
    });
  }
  throw wrong(
    'there is nothing to make a delta from',
    'a commit with a parent, or --from COMMIT',
    `a first commit, ${to}`,
  );
}

/** The commit that a delta to `to` is from. Throws USAGE_COMMAND_LINE when that is the same one. */
export async function sourceOf(
  repository: Repository,
  name: string,
  to: string,
  command = 'delta generate',
): Promise<string> {
  const from = await resolveCommit(repository, name);
  if (from !== to) return from;
  throw wrong('a delta leads from one commit to another', 'two commits', `${from} twice`, command);
}

function wrong(
  summary: string,
  expected: string,
  found: string,
  command = 'delta generate',
): PineError {
  return new PineError('USAGE_COMMAND_LINE', summary, {
    expected,
    found,
    where: 'the command line',
    remedy: `run \`pinectl ${command} --help\``,
  });
}
