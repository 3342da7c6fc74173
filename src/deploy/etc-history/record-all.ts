import type { SlotName } from '../../boot/choice.ts';
import { PineError } from '../../error.ts';
import type { Origin } from '../../etc/history/message.ts';
import { prune } from '../../etc/history/prune.ts';
import { recordTree } from '../../etc/history/record.ts';
import type { HistoryRepository, Revision } from '../../etc/history/repository.ts';
import type { SnapshotOptions } from '../../etc/history/snapshot.ts';
import { readStatCache, writeStatCache } from '../../etc/history/stat-cache.ts';
import type { Branch } from '../../etc/history/tip.ts';
import { folderTree } from '../../etc/trees/folder-tree.ts';
import { readDeployments } from '../deployments.ts';
import { type Machine, otherSlot } from '../machine.ts';
import { etcFolder } from '../paths.ts';
import { readSlot } from '../slot-contents.ts';
import { lastLeft, type Occasion, type RecordOptions } from './record-etc.ts';
import { withShipped } from './shipped.ts';

interface Work {
  readonly machine: Machine;
  readonly repository: HistoryRepository;
  readonly occasion: Occasion;
  readonly options: RecordOptions;
}

/** A release that is in a slot. */
interface Release {
  readonly commit: string;
  readonly version: string;
}

/**
 * Records on each branch what is new. `fresh`: the repository is empty, and what the other slot and its /etc can tell
 * comes first. Returns the new revision of this machine's /etc; null when it is the same as before.
 */
export async function recordAll(work: Work, fresh: boolean): Promise<string | null> {
  const { machine, repository, occasion } = work;
  const { running, files, etc } = machine;
  if (fresh) await recordOtherSlot(work);
  const cached = await readStatCache(files, repository.folder);
  const release = await recordShipped(work, running.slot, cached?.release);
  const left = await lastLeft(machine);
  if (left !== '' && left !== running.deployment && left !== cached?.left) {
    await recordLeft(work, left);
  }
  const { deployment } = running;
  const { revision, paths } = await recordFolder(work, etc, {
    subject: describe(occasion, release, deployment),
    origin: { deployment, ...release },
    known: cached?.deployment === deployment ? cached.paths : undefined,
  });
  if (occasion.kind === 'upgrade') await recordUpgrade(work, occasion);
  await repository.publish(); // once for all of it: what waits for the disk waits twice, not twice for each
  await pruneIfDue(work);
  const newest = revision ?? (await repository.tip('machine')) ?? '';
  const cache = { deployment, revision: newest, release: release?.commit ?? '', left, paths };
  await writeStatCache(files, repository.folder, cache);
  return revision ?? null;
}

/** After a rebuild, or at the start: the release in the other slot and the /etc that it had. */
async function recordOtherSlot(work: Work): Promise<void> {
  const { machine } = work;
  const slot = otherSlot(machine.running.slot);
  const release = await recordShipped(work, slot);
  if (release === undefined) return;
  const deployments = await readDeployments(machine.bootLoader);
  const own = deployments.find((entry) => entry.slot === slot && entry.commit === release.commit);
  if (own !== undefined)
    await recordOther(work, own.id, `${name(release)} in slot ${slot}`, release);
}

/**
 * Records what the release in a slot ships, once, and tells which release that is; `undefined` for an empty slot. What
 * `known` names was recorded, and its history need not be read for that.
 */
async function recordShipped(
  work: Work,
  slot: SlotName,
  known?: string,
): Promise<Release | undefined> {
  const contents = await unlessUnreadable(work, slot, () => readSlot(work.machine.slots[slot]));
  if (contents === undefined) return undefined;
  const release = { commit: contents.checksum, version: contents.version };
  if (release.commit === known) return release;
  if (await has(work.repository, 'shipped', ({ commit }) => commit === release.commit)) {
    return release;
  }
  const recording = {
    branch: 'shipped',
    subject: `${name(release)} is shipped`,
    origin: release,
    time: contents.commit.timestamp,
  } as const;
  await unlessUnreadable(work, slot, () =>
    withShipped(work.machine.slots[slot], (tree) =>
      recordTree(work.repository, tree, recording, { always: true }),
    ),
  );
  return release;
}

/** A slot that can't be read is told, and left out: it is not the history that has to complain of it. */
async function unlessUnreadable<T>(
  { options }: Work,
  slot: SlotName,
  read: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof PineError) || error.code === 'CORRUPT_ETC_HISTORY') throw error;
    options.note(`what slot ${slot} ships is not recorded: ${error.message}`);
    return undefined;
  }
}

/** What the deployment that was left had when it was left, so that what was changed there is not lost. */
async function recordLeft(work: Work, deployment: string): Promise<void> {
  const subject = `${deployment} when it was left`;
  if (await has(work.repository, 'machine', (_, known) => known === subject)) return;
  await recordOther(work, deployment, subject, {});
}

/** What an upgrade made of the two: where changes are counted from (`etc diff --since-upgrade`). */
async function recordUpgrade(
  work: Work,
  { deployment, version }: Extract<Occasion, { kind: 'upgrade' }>,
): Promise<void> {
  const release = { commit: deployment.commit, version };
  await recordShipped(work, deployment.slot);
  await recordFolder(work, etcFolder(work.machine, deployment.id), {
    branch: 'upgrade',
    subject: `the upgrade to ${name(release)}`,
    origin: { deployment: deployment.id, ...release },
    always: true,
  });
}

/** Records the /etc of a deployment that is not running, if it is there. */
async function recordOther(
  work: Work,
  deployment: string,
  subject: string,
  release: Partial<Release>,
): Promise<void> {
  const { machine } = work;
  const folder = etcFolder(machine, deployment);
  if ((await machine.files.status(folder)) === undefined) return;
  await recordFolder(work, folder, { subject, origin: { deployment, ...release } });
}

interface FolderRecording extends SnapshotOptions {
  readonly branch?: Branch;
  readonly subject: string;
  readonly origin: Origin;
  readonly always?: boolean;
}

/** Records the /etc in a folder; on the branch `machine` when no other is named. */
async function recordFolder(
  { machine, repository, options }: Work,
  folder: string,
  { branch = 'machine', subject, origin, ...rest }: FolderRecording,
) {
  const time = machine.clock.now();
  const tree = await folderTree(machine.files, folder, options.note);
  const recording = { branch, subject, origin, time };
  return recordTree(repository, tree, recording, { ...rest, began: time });
}

/** Whether a branch has a revision of which something is true. */
async function has(
  repository: HistoryRepository,
  branch: Branch,
  matches: (origin: Origin, subject: string) => boolean,
): Promise<boolean> {
  const tip = await repository.tip(branch);
  if (tip === undefined) return false;
  for await (const { origin, subject } of repository.history(tip)) {
    if (matches(origin, subject)) return true;
  }
  return false;
}

/** Pruning reads all trees: it waits until there is an eighth too much, or somebody asks for it. */
async function pruneIfDue({ repository, occasion, options }: Work): Promise<void> {
  const verify = occasion.kind === 'request';
  const tip = await repository.tip('machine');
  if (tip === undefined) return;
  const revisions: Revision['id'][] = [];
  for await (const { id } of repository.history(tip)) revisions.push(id);
  if (!verify && revisions.length <= options.keep + Math.floor(options.keep / 8)) return;
  await prune(repository, { keep: options.keep, verify });
}

function describe(occasion: Occasion, release: Release | undefined, deployment: string): string {
  const running = release === undefined ? deployment : name(release);
  switch (occasion.kind) {
    case 'boot':
      return `boot of ${running}`;
    case 'upgrade':
      return `before the upgrade from ${running}`;
    case 'change':
      return occasion.message;
    case 'request':
      return occasion.message === '' ? `by hand, on ${running}` : occasion.message;
  }
}

function name({ version, commit }: Release): string {
  return version === '' ? commit.slice(0, 12) : version;
}
