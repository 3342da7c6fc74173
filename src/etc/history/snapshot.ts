import { bytesOfPath } from '../../ports/path-text.ts';
import { type EtcTree, readWhole } from '../trees/tree.ts';
import type { EtcEntry } from '../walk.ts';
import type { HistoryRepository } from './repository.ts';
import type { Attributes } from './sidecar.ts';
import { cacheKey, noBlob, type StatCache, stampOf } from './stat-cache.ts';
import { TreeWriter } from './tree-writer.ts';
import { contentLimit, judgeEntries, type Withheld } from './withheld.ts';

export interface SnapshotOptions {
  /** What is known of the same tree from before: what has the same stamp is not read again. */
  readonly known?: StatCache['paths'] | undefined;
  /** When this began, in seconds since 1970; absent for what a release ships, whose times are all the same. */
  readonly began?: number;
}

/**
 * Writes what is in a tree to the repository. Nothing is durable before `commit`. Returns the git tree and
 * what to remember of each path. Memory follows the number of paths, not their contents (S9).
 */
export async function writeSnapshot(
  repository: HistoryRepository,
  tree: EtcTree,
  { known, began }: SnapshotOptions,
): Promise<{ tree: string; paths: StatCache['paths'] }> {
  const paths = new Map<string, { stamp: string; id: string }>();
  const writer = new TreeWriter(repository);
  for await (const { entry, withheld } of judgeEntries(tree.walk(''))) {
    const key = cacheKey(entry.path);
    const stamp = isRecent(entry, began) ? '' : stampOf(entry);
    const before = stamp === '' ? undefined : known?.get(key);
    const content =
      withheld !== undefined || !hasContent(entry)
        ? noBlob
        : before?.stamp === stamp && before.id !== noBlob
          ? before.id
          : await writeContent(repository, tree, entry);
    if (content === 'gone') continue;
    const id = content === 'large' ? noBlob : content;
    const why = content === 'large' ? content : withheld;
    const attributes = attributesOf(entry, why, began !== undefined);
    await writer.add(entry, attributes, id === noBlob ? undefined : id);
    paths.set(key, { stamp, id });
  }
  return { tree: await writer.finish(), paths };
}

/** What the sidecar may have to keep of an entry. `times`: with the time of change of what is withheld. */
export function attributesOf(
  entry: EtcEntry,
  withheld: Withheld | undefined,
  times: boolean,
): Attributes {
  const { kind, mode, uid, gid, xattrs } = entry;
  const common = { kind, mode, uid, gid, xattrs };
  if (withheld === undefined) return common;
  if (entry.kind !== 'file') return { ...common, withheld };
  return { ...common, withheld, size: entry.size, ...(times && { changed: entry.mtime }) };
}

type WithContent = Extract<EtcEntry, { kind: 'file' | 'symlink' }>;

function hasContent(entry: EtcEntry): entry is WithContent {
  return entry.kind === 'file' || entry.kind === 'symlink';
}

/** The id of the new blob; or `gone` or `large`, if it has become that since it was looked at. */
async function writeContent(
  repository: HistoryRepository,
  tree: EtcTree,
  entry: WithContent,
): Promise<string> {
  if (entry.kind === 'symlink') return repository.writeBlob(bytesOfPath(entry.target));
  try {
    const bytes = await readWhole(tree, entry, contentLimit);
    return bytes === undefined ? 'large' : await repository.writeBlob(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    throw error;
  }
}

/** What changed a moment ago may change again without another time to show for it. */
function isRecent(entry: EtcEntry, began: number | undefined): boolean {
  const ctime = 'ctime' in entry ? entry.ctime : undefined;
  return began !== undefined && ctime !== undefined && ctime > (began - 2) * 1000;
}
