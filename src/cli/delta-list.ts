import { listDeltas, removeDelta } from '../delta/store.ts';
import { lockForWriting } from '../repo/lock.ts';
import { listRefs } from '../repo/refs.ts';
import { formatBytes, print } from './output.ts';
import { openRepository, type RepositoryOptions } from './repository-option.ts';

/** `pinectl delta list`. */
export async function list(options: RepositoryOptions): Promise<void> {
  const deltas = await listDeltas(await openRepository(options));
  print(options.json, { deltas }, () =>
    deltas.map(({ from, to, size }) => `${from}..${to}  ${formatBytes(size)}`).join('\n'),
  );
}

/** `pinectl delta prune`: keeps what leads to a commit that a ref names and that is there. */
export async function prune(options: RepositoryOptions & { dryRun?: boolean }): Promise<void> {
  const repository = await openRepository(options);
  const lock = await lockForWriting(repository);
  try {
    const wanted = new Set((await listRefs(repository)).values());
    const removed = (await listDeltas(repository)).filter(
      ({ to }) => !wanted.has(to) || !repository.has(to, 'commit'),
    );
    if (!options.dryRun) for (const delta of removed) await removeDelta(repository, delta);
    const bytes = removed.reduce((sum, { size }) => sum + size, 0);
    print(options.json, { removed, bytes }, () =>
      [
        ...removed.map(({ from, to }) => `${from}..${to}`),
        `${removed.length} deltas, ${formatBytes(bytes)}`,
      ].join('\n'),
    );
  } finally {
    await lock.release();
  }
}
