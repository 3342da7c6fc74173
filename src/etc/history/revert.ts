import { PineError } from '../../error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { compare, type Difference } from './compare.ts';
import { findItem, getItem, type ItemSource } from './item.ts';
import { inTheWay, restore } from './restore.ts';

export interface RevertOptions {
  /** Replaces also what the history does not have, and so can't give back. */
  readonly force: boolean;
}

/** What was done to a path and to what is below it. */
export interface Reverted {
  readonly restored: readonly string[];
  /** What the source does not have: it is left as it is. */
  readonly left: readonly string[];
}

/**
 * Brings a path, and everything below it, back to what a source has. Nothing is removed. Throws NOT_FOUND_ETC_PATH,
 * STATE_ETC_UNRECORDED before anything is changed, and what `restore` throws.
 */
export async function revert(
  files: FileSystem,
  root: string,
  { source, present }: { readonly source: ItemSource; readonly present: ItemSource },
  path: string,
  { force }: RevertOptions,
): Promise<Reverted> {
  await getItem(source, path);
  const differences: Difference[] = [];
  const left: string[] = [];
  for await (const difference of compare(source, present, path)) {
    if (difference.change === 'added') left.push(difference.path);
    else if (!force && losesContent(difference)) throw unrecorded(difference);
    else differences.push(difference);
  }
  await restoreFolders(files, root, source, path);
  const restored: string[] = [];
  for (const { old, path, aspects, change } of differences) {
    if (old === undefined) continue;
    await restore(files, root, source, { old, aspects, change });
    restored.push(path);
  }
  return { restored, left };
}

/** The folders above a path, where they are missing. A link in their place is not followed. */
async function restoreFolders(
  files: FileSystem,
  root: string,
  source: ItemSource,
  path: string,
): Promise<void> {
  const parts = path.split('/').slice(0, -1);
  for (const index of parts.keys()) {
    const folder = parts.slice(0, index + 1).join('/');
    const there = await files.status(`${root}/${folder}`);
    if (there?.kind === 'directory') continue;
    if (there !== undefined) throw inTheWay(`${root}/${folder}`, there.kind, 'directory');
    const old = await findItem(source, folder);
    if (old !== undefined) {
      await restore(files, root, source, { old, aspects: [], change: 'deleted' });
    }
  }
}

function losesContent({ aspects, new: current }: Difference): boolean {
  if (!aspects.includes('content') && !aspects.includes('kind')) return false;
  const withheld = current?.attributes.withheld;
  return withheld !== undefined && withheld !== 'special';
}

function unrecorded({ path, new: current }: Difference): PineError {
  return new PineError('STATE_ETC_UNRECORDED', 'what is there now could not be brought back', {
    expected: 'content that the history has',
    found: `${current?.attributes.withheld}: its content is never recorded`,
    where: `/etc/${path}`,
    remedy: 'keep a copy of it, then run the command again with --force',
  });
}
