import { PineError } from '../../error.ts';
import { compare } from '../../etc/history/compare.ts';
import { findRevision } from '../../etc/history/find-revision.ts';
import { type ItemSource, recordedItems } from '../../etc/history/item.ts';
import { HistoryRepository, type Revision } from '../../etc/history/repository.ts';
import type { Machine } from '../machine.ts';
import { etcFolder, historyFolder } from '../paths.ts';
import { folderSource, presentSource } from './present.ts';
import { lastLeft } from './record-etc.ts';

/** The repository; throws NOT_FOUND_ETC_HISTORY when nothing was recorded yet. */
export async function openHistory(machine: Machine): Promise<HistoryRepository> {
  const folder = historyFolder(machine);
  const repository = await HistoryRepository.open(machine.files, folder);
  if (repository !== undefined) return repository;
  throw new PineError('NOT_FOUND_ETC_HISTORY', 'nothing of /etc was recorded yet', {
    expected: 'a repository that the first boot makes',
    found: 'none',
    where: folder,
    remedy: 'run `pinectl etc record`',
  });
}

/** A recorded /etc, by name. */
export async function revisionSource(
  repository: HistoryRepository,
  name: string,
): Promise<ItemSource> {
  return sourceOf(repository, await findRevision(repository, name));
}

/** A recorded /etc. */
export function sourceOf(repository: HistoryRepository, { id, tree }: Revision): ItemSource {
  return recordedItems(id.slice(0, 10), repository, tree);
}

/** What was recorded before a revision; nothing for the first one. */
export async function parentSource(
  repository: HistoryRepository,
  { parent }: Revision,
): Promise<ItemSource> {
  if (parent !== undefined) return sourceOf(repository, await repository.revision(parent));
  return { name: 'nothing', async *items() {}, content: async () => undefined };
}

/** What was changed since the last upgrade, and where. */
export interface SinceUpgrade {
  /** What the upgrade made. */
  readonly old: ItemSource;
  /** What became of it: /etc, or that of the deployment that was left. */
  readonly current: ItemSource;
  /** Set unless that deployment runs: it was left, or waits for its first boot. */
  readonly elsewhere?: 'left' | 'armed';
  /** Then also the paths where what was changed is not in /etc: only these are of use. */
  readonly offered?: ReadonlySet<string>;
}

/**
 * What the last upgrade made of /etc, and what was changed since. After a rollback that is in the deployment that was
 * left: its changes are offered again. Throws NOT_FOUND_ETC_REVISION when no upgrade was recorded.
 */
export async function sinceUpgrade(machine: Machine): Promise<SinceUpgrade> {
  const repository = await openHistory(machine);
  const revision = await findRevision(repository, 'upgrade');
  const old = sourceOf(repository, revision);
  const present = await presentSource(machine);
  const { deployment = '' } = revision.origin;
  if (deployment === machine.running.deployment) return { old, current: present };
  const folder = etcFolder(machine, deployment);
  const isThere = (await machine.files.status(folder)) !== undefined;
  const current = isThere
    ? await folderSource(machine, `/etc of ${deployment}`, folder)
    : sourceOf(repository, await lastOf(repository, deployment, revision));
  const offered = new Set<string>();
  for await (const { path } of compare(present, current)) offered.add(path);
  const elsewhere = (await lastLeft(machine)) === deployment ? 'left' : 'armed';
  return { old, current, elsewhere, offered };
}

/** The last that was recorded of a deployment; what the upgrade made, if it never was. */
async function lastOf(
  repository: HistoryRepository,
  deployment: string,
  otherwise: Revision,
): Promise<Revision> {
  const tip = await repository.tip('machine');
  if (tip === undefined) return otherwise;
  for await (const revision of repository.history(tip)) {
    if (revision.origin.deployment === deployment) return revision;
  }
  return otherwise;
}
