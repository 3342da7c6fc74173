import { comparePaths } from '../trees/join.ts';
import { sameContent } from '../trees/tree.ts';
import type { Item, ItemSource } from './item.ts';
import type { Attributes } from './sidecar.ts';

/** In what two things of the same path can differ. */
export type Aspect = 'kind' | 'content' | 'mode' | 'owner' | 'xattrs';

/** A path that is not the same on both sides. */
export interface Difference {
  readonly path: string;
  readonly change: 'added' | 'deleted' | 'changed';
  /** In what it has changed; empty for what was added or deleted. */
  readonly aspects: readonly Aspect[];
  readonly old?: Item;
  readonly new?: Item;
}

/** Walks two /etc side by side, and gives each path that differs. Holds one item of each, and one piece of its content. */
export async function* compare(
  old: ItemSource,
  current: ItemSource,
  path = '',
): AsyncGenerator<Difference> {
  for await (const [before, after] of join(old.items(path), current.items(path))) {
    if (before === undefined) {
      if (after !== undefined) yield { path: after.path, change: 'added', aspects: [], new: after };
    } else if (after === undefined) {
      yield { path: before.path, change: 'deleted', aspects: [], old: before };
    } else {
      const aspects = await compareItems(old, before, current, after);
      const sides = { old: before, new: after };
      if (aspects.length > 0) yield { path: after.path, change: 'changed', aspects, ...sides };
    }
  }
}

/** In what two items differ. What was not recorded counts as the same while its size and time of change are. */
export async function compareItems(
  oldSource: ItemSource,
  old: Item,
  source: ItemSource,
  current: Item,
): Promise<readonly Aspect[]> {
  const [a, b] = [old.attributes, current.attributes];
  if (a.kind !== b.kind) return ['kind'];
  const aspects: Aspect[] = [];
  if (await differsInContent(oldSource, old, source, current)) aspects.push('content');
  if (a.kind !== 'symlink' && a.mode !== b.mode) aspects.push('mode');
  if (a.uid !== b.uid || a.gid !== b.gid) aspects.push('owner');
  if (xattrText(a) !== xattrText(b)) aspects.push('xattrs');
  return aspects;
}

async function differsInContent(
  oldSource: ItemSource,
  old: Item,
  source: ItemSource,
  current: Item,
): Promise<boolean> {
  const { kind } = old.attributes;
  if (kind !== 'file' && kind !== 'symlink') return false;
  if (old.blob !== undefined && current.blob !== undefined) return old.blob !== current.blob;
  const [left, right] = [old.entry, current.entry];
  if (left?.entry.kind === 'file' && right?.entry.kind === 'file') {
    return !(await sameContent([left.tree, left.entry], [right.tree, right.entry]));
  }
  const [before, after] = [await oldSource.content(old), await source.content(current)];
  if (before !== undefined && after !== undefined) return !before.equals(after);
  return differsByLooks(sizeAndTime(old), sizeAndTime(current));
}

interface Looks {
  readonly size: number | undefined;
  readonly changed: number | undefined;
}

function sizeAndTime({ attributes, entry }: Item): Looks {
  const present = entry?.entry.kind === 'file' ? entry.entry : undefined;
  return {
    size: attributes.size ?? present?.size,
    changed: attributes.changed ?? present?.mtime,
  };
}

function differsByLooks(a: Looks, b: Looks): boolean {
  if (a.size !== undefined && b.size !== undefined && a.size !== b.size) return true;
  return a.changed !== undefined && b.changed !== undefined && a.changed !== b.changed;
}

function xattrText({ xattrs }: Attributes): string {
  return xattrs.map(({ name, value }) => `${name}=${Buffer.from(value).toString('hex')}`).join();
}

/** The items of two walks by path: both where both have it. */
async function* join(
  old: AsyncIterable<Item>,
  current: AsyncIterable<Item>,
): AsyncGenerator<readonly [Item | undefined, Item | undefined]> {
  const [olds, news] = [old[Symbol.asyncIterator](), current[Symbol.asyncIterator]()];
  try {
    let before = (await olds.next()).value as Item | undefined;
    let after = (await news.next()).value as Item | undefined;
    while (before !== undefined || after !== undefined) {
      const order =
        before === undefined ? 1 : after === undefined ? -1 : comparePaths(before.path, after.path);
      yield [order <= 0 ? before : undefined, order >= 0 ? after : undefined];
      if (order <= 0) before = (await olds.next()).value as Item | undefined;
      if (order >= 0) after = (await news.next()).value as Item | undefined;
    }
  } finally {
    await olds.return?.();
    await news.return?.();
  }
}
