import { longestChain } from '../delta/chain/delta-index.ts';
import { renewIndexes } from '../delta/renew-indexes.ts';
import { listDeltas, removeDelta, type StoredDelta } from '../delta/store.ts';
import { findUnneededDeltas } from '../delta/unneeded.ts';
import { PineError } from '../error.ts';
import { lockForWriting } from '../repo/lock.ts';
import type { Repository } from '../repo/repository.ts';
import { emptyTemporary } from '../repo/temporary.ts';
import { endsOf, withNothing } from './delta-ends.ts';
import { formatBytes, print } from './output.ts';
import { openRepository, type RepositoryOptions } from './repository-option.ts';

/** `pinectl delta list`. */
export async function list(options: RepositoryOptions): Promise<void> {
  const deltas = await listDeltas(await openRepository(options));
  print(options.json, { deltas: deltas.map(withNothing) }, () =>
    deltas.map((delta) => `${endsOf(delta)}  ${formatBytes(delta.size)}`).join('\n'),
  );
}

interface PruneOptions extends RepositoryOptions {
  readonly dryRun?: boolean;
  readonly depth: string;
}

/** `pinectl delta prune`: keeps what leads to a commit that a ref names, also by way of others. */
export async function prune(options: PruneOptions): Promise<void> {
  const repository = await openRepository(options);
  const depth = Number(options.depth);
  if (!Number.isInteger(depth) || depth < 1 || depth > longestChain) {
    throw new PineError('USAGE_COMMAND_LINE', '--depth is no length of a chain', {
      expected: `a whole number from 1 to ${longestChain}`,
      found: options.depth,
      where: '--depth',
      remedy: 'give 1 to keep only what leads straight to the commit of a ref',
    });
  }
  const removed = options.dryRun
    ? await findUnneededDeltas(repository, depth)
    : await removeUnneeded(repository, depth);
  const bytes = removed.reduce((sum, { size }) => sum + size, 0);
  print(options.json, { removed: removed.map(withNothing), bytes }, () =>
    [
      ...removed.map(endsOf),
      `${removed.length} ${removed.length === 1 ? 'delta' : 'deltas'}, ${formatBytes(bytes)}`,
    ].join('\n'),
  );
}

async function removeUnneeded(repository: Repository, depth: number): Promise<StoredDelta[]> {
  const lock = await lockForWriting(repository);
  try {
    const removed = await findUnneededDeltas(repository, depth);
    for (const delta of removed) await removeDelta(repository, delta);
    await emptyTemporary(repository);
    await renewIndexes(repository);
    return removed;
  } finally {
    await lock.release();
  }
}
