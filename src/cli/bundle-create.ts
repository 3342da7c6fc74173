import { createBundle } from '../bundle/create-bundle.ts';
import { nothing } from '../delta/delta-path.ts';
import { isGoodEnough, isSigned } from '../delta/signed-by.ts';
import { listDeltas } from '../delta/store.ts';
import { readRef } from '../repo/refs.ts';
import type { Repository } from '../repo/repository.ts';
import { resolveCommit } from '../repo/resolve.ts';
import { publicHalf } from '../trust/keys.ts';
import { endsOf } from './delta-ends.ts';
import { makeDelta, sourceOf } from './delta-generate.ts';
import { readSecretKeys } from './key-files.ts';
import { formatBytes, print } from './output.ts';
import { terminalProgress } from './progress.ts';
import { openRepository, type RepositoryOptions } from './repository-option.ts';

interface Options extends RepositoryOptions {
  readonly output: string;
  readonly from?: readonly string[];
  readonly full?: boolean;
  readonly signKey?: readonly string[];
}

/** `pinectl bundle create`. */
export async function create(ref: string, options: Options): Promise<void> {
  const { output } = options;
  const repository = await openRepository(options);
  const commit = (await readRef(repository, ref)) ?? (await resolveCommit(repository, ref));
  const from = await sourcesOf(repository, commit, options);
  const keys = await readSecretKeys(options.signKey);
  const present = await listDeltas(repository);
  const progress = terminalProgress();
  try {
    for (const ends of from.map((each) => ({ from: each, to: commit }))) {
      const isThere = present.some((delta) => delta.from === ends.from && delta.to === commit);
      if (isThere && (await isGoodEnough(repository, ends, keys.map(publicHalf)))) continue;
      await makeDelta(repository, ends, { keys, progress: progress.report });
    }
    const size = await createBundle(repository, { ref, commit, from }, output);
    progress.end();
    for (const ends of from.map((each) => ({ from: each, to: commit }))) {
      if (await isSigned(repository, ends)) continue;
      process.stderr.write(
        `${endsOf(ends)} is not signed: machines will not take it (--sign-key)\n`,
      );
    }
    if (!repository.has(commit, 'commitmeta')) {
      process.stderr.write('the commit is not signed: machines will not take it\n');
    }
    const result = { output, size, ref, commit, from: from.map(nameOf) };
    print(options.json, result, () => `${output}: ${ref}, ${formatBytes(size)}`);
  } finally {
    progress.end();
  }
}

const nameOf = (commit: string): string => (commit === nothing ? '' : commit);

async function sourcesOf(
  repository: Repository,
  to: string,
  { from = [], full = false }: Options,
): Promise<string[]> {
  const commits = await Promise.all(
    from.map((name) => (name === '' ? nothing : sourceOf(repository, name, to, 'bundle create'))),
  );
  const all = full || commits.length === 0 ? [...commits, nothing] : commits;
  return [...new Set(all)];
}
