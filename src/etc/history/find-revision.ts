import { PineError } from '../../error.ts';
import type { HistoryRepository, Revision } from './repository.ts';
import { branches } from './tip.ts';

/**
 * The revision that a name means: a branch (`machine`, `shipped`, `upgrade`) or the first digits of an id, and so many
 * before it (`machine~2`). Throws NOT_FOUND_ETC_REVISION, CORRUPT_ETC_HISTORY.
 */
export async function findRevision(repository: HistoryRepository, name: string): Promise<Revision> {
  const [, base = '', back = '0'] = /^([a-z]+|[0-9a-f]{4,40})(?:~([0-9]{1,6}))?$/.exec(name) ?? [];
  const start = await findBase(repository, base);
  if (start === undefined) throw notFound(name, repository.folder);
  let left = Number(back);
  for await (const revision of repository.history(start)) {
    if (left === 0) return revision;
    left -= 1;
  }
  throw notFound(name, repository.folder);
}

async function findBase(repository: HistoryRepository, base: string): Promise<string | undefined> {
  const branch = branches.find((known) => known === base);
  if (branch !== undefined) return repository.tip(branch);
  if (!/^[0-9a-f]{4,40}$/.test(base)) return undefined;
  const found = new Set<string>();
  for (const known of branches) {
    const tip = await repository.tip(known);
    if (tip === undefined) continue;
    for await (const { id } of repository.history(tip)) if (id.startsWith(base)) found.add(id);
  }
  const [first] = found;
  return found.size === 1 ? first : undefined;
}

function notFound(name: string, where: string): PineError {
  return new PineError('NOT_FOUND_ETC_REVISION', 'no such revision of /etc, or more than one', {
    expected:
      '`machine`, `shipped`, `upgrade` or the first digits of an id, with ~N for N before it',
    found: JSON.stringify(name),
    where,
    remedy: 'see what there is: pinectl etc log',
  });
}
