import { PineError } from '../../error.ts';
import { bytesOfPath } from '../../ports/path-text.ts';
import { type EtcTree, readWhole } from '../trees/tree.ts';
import type { EtcEntry } from '../walk.ts';
import { type RecordedName, readRecordedFolder } from './recorded-folder.ts';
import type { HistoryRepository } from './repository.ts';
import type { Attributes } from './sidecar.ts';
import { attributesOf } from './snapshot.ts';
import { contentLimit, isBelow, judgeEntries } from './withheld.ts';

/** Something under a path of an /etc, be it one that is there now or one that was recorded. */
export interface Item {
  readonly path: string;
  readonly attributes: Attributes;
  /** The git blob with its content, in a recorded one. */
  readonly blob?: string;
  /** In one that is there now: where its content can be read, also if that must not be recorded. */
  readonly entry?: { readonly tree: EtcTree; readonly entry: EtcEntry };
}

/** An /etc as a walk over its items, in the order of `walkEtc`. */
export interface ItemSource {
  /** What to call it: `the default`, `/etc`, or a revision. */
  readonly name: string;
  items(path?: string): AsyncIterable<Item>;
  /** A link's target or a file's content; `undefined` when it was not recorded, or has more than `contentLimit` bytes. */
  content(item: Item): Promise<Buffer | undefined>;
}

/** What a source has under a path itself. */
export async function findItem(source: ItemSource, path: string): Promise<Item | undefined> {
  for await (const item of source.items(path)) return item;
  return undefined;
}

/** What a source has under a path. Throws NOT_FOUND_ETC_PATH when that is nothing. */
export async function getItem(source: ItemSource, path: string): Promise<Item> {
  const found = await findItem(source, path);
  if (found !== undefined) return found;
  throw new PineError('NOT_FOUND_ETC_PATH', 'there is nothing of that name', {
    expected: `${path} in ${source.name}`,
    found: 'nothing',
    where: `/etc/${path}`,
    remedy: 'name another path or revision: pinectl etc log PATH tells when it was there',
  });
}

/** A content that is needed. Throws STATE_ETC_CONTENT when it was not recorded. */
export async function getContent(source: ItemSource, item: Item): Promise<Buffer> {
  const content = await source.content(item);
  if (content !== undefined) return content;
  throw new PineError('STATE_ETC_CONTENT', 'this content was not recorded', {
    expected: 'a file that everyone on the machine may read, of at most 1 MiB',
    found: item.attributes.withheld ?? `a ${item.attributes.kind}`,
    where: `${item.path} in ${source.name}`,
    remedy: "take it from another deployment's /etc on the data partition, or from a backup",
  });
}

/** A tree that is there now: the default of a release, or what the machine uses. */
export function presentItems(name: string, tree: EtcTree, times: boolean): ItemSource {
  return {
    name,
    async *items(path = '') {
      // From the root on: a folder above may be what makes it secret.
      for await (const { entry, withheld } of judgeEntries(tree.walk(''))) {
        if (entry.path !== path && !isBelow(entry.path, path)) continue;
        const attributes = attributesOf(entry, withheld, times);
        yield { path: entry.path, attributes, entry: { tree, entry } };
      }
    },
    async content({ entry: found }) {
      if (found?.entry.kind === 'symlink') return bytesOfPath(found.entry.target);
      if (found?.entry.kind !== 'file') return undefined;
      return readWhole(found.tree, found.entry, contentLimit);
    },
  };
}

/** What was recorded as a git tree. Throws CORRUPT_ETC_HISTORY. */
export function recordedItems(
  name: string,
  repository: HistoryRepository,
  tree: string,
): ItemSource {
  return {
    name,
    items: (path = '') => walkRecorded(repository, tree, path),
    content: async ({ blob }) => (blob === undefined ? undefined : repository.readBlob(blob)),
  };
}

async function* walkRecorded(
  repository: HistoryRepository,
  root: string,
  path: string,
): AsyncGenerator<Item> {
  const { root: attributes } = await readRecordedFolder(repository, root);
  let found: RecordedName | undefined = { name: '', attributes, tree: root };
  for (const part of path === '' ? [] : path.split('/')) {
    if (found?.tree === undefined) return;
    const { names } = await readRecordedFolder(repository, found.tree);
    found = names.find(({ name }) => name === part);
  }
  if (found !== undefined) yield* walk(repository, path, found);
}

async function* walk(
  repository: HistoryRepository,
  path: string,
  { attributes, blob, tree }: RecordedName,
): AsyncGenerator<Item> {
  yield { path, attributes, ...(blob !== undefined && { blob }) };
  if (tree === undefined) return;
  for (const entry of (await readRecordedFolder(repository, tree)).names) {
    yield* walk(repository, path === '' ? entry.name : `${path}/${entry.name}`, entry);
  }
}
