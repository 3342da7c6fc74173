import { dirname } from 'node:path/posix';
import { PineError } from '../../error.ts';
import type { FileSystem } from '../../ports/file-system.ts';
import { pathFromBytes } from '../../ports/path-text.ts';
import type { Difference } from './compare.ts';
import { getContent, type Item, type ItemSource } from './item.ts';
import type { Attributes } from './sidecar.ts';
import { nameOf } from './withheld.ts';

/**
 * Brings one path of a folder to what an item says: content, mode, owner and extended attributes. A file or link
 * changes as a whole: after a power cut it is the old or the new one (S6, S7). What is in a folder is left alone.
 * `old` is what it becomes again. Throws STATE_ETC_CONTENT when the content was not recorded, STATE_ETC_KIND when a folder is in the way of a file.
 */
export async function restore(
  files: FileSystem,
  root: string,
  source: ItemSource,
  { old: item, aspects, change }: Pick<Difference, 'aspects' | 'change'> & { readonly old: Item },
): Promise<void> {
  const place = `${root}/${item.path}`;
  const there = await files.status(place);
  const { kind } = item.attributes;
  const isSameContent = !aspects.includes('content') && !aspects.includes('kind');
  if (change === 'changed' && isSameContent && kind === 'file') {
    await applyAttributes(files, root, item.path, item.attributes);
    await files.sync(place);
    return;
  }
  if (kind === 'directory') {
    if (there !== undefined && there.kind !== 'directory') throw inTheWay(place, there.kind, kind);
    await files.makeFolder(place, 0o700);
    await applyAttributes(files, root, item.path, item.attributes);
    await files.sync(place);
    await files.sync(dirname(place));
    return;
  }
  if (there?.kind === 'directory') throw inTheWay(place, there.kind, kind);
  const parent = dirname(item.path);
  const name = `.pine-revert-${nameOf(item.path)}`;
  const temporary = parent === '.' ? name : `${parent}/${name}`;
  await files.remove(`${root}/${temporary}`); // left by a run that was cut
  if (kind === 'symlink') {
    const target = await getContent(source, item);
    await files.makeLink(pathFromBytes(target), `${root}/${temporary}`);
    await files.setOwner(`${root}/${temporary}`, item.attributes.uid, item.attributes.gid);
  } else {
    await writeContent(files, `${root}/${temporary}`, source, item);
    await applyAttributes(files, root, temporary, item.attributes);
    await files.sync(`${root}/${temporary}`);
  }
  await files.rename(`${root}/${temporary}`, place);
  await files.sync(dirname(place));
}

/** Nobody else may read what may be a secret before it has its mode. */
async function writeContent(
  files: FileSystem,
  path: string,
  source: ItemSource,
  item: Item,
): Promise<void> {
  const present = item.entry;
  if (present?.entry.kind === 'file') {
    await files.writeFile(path, new Uint8Array(), 0o600);
    for await (const piece of present.tree.read(present.entry)) {
      await files.appendFile(path, piece, 0o600);
    }
    return;
  }
  await files.writeFile(path, await getContent(source, item), 0o600);
}

/** The owner first: changing it clears the set-user-id bit. */
async function applyAttributes(
  files: FileSystem,
  root: string,
  path: string,
  { mode, uid, gid, xattrs }: Attributes,
): Promise<void> {
  await files.setOwner(`${root}/${path}`, uid, gid);
  await files.setMode(`${root}/${path}`, mode);
  if (xattrs.length > 0) await files.writeXattrs(root, [[path, xattrs]]);
}

/** What is there can't become the other by itself. */
export function inTheWay(where: string, found: string, expected: string): PineError {
  return new PineError('STATE_ETC_KIND', 'something else is in the way', {
    expected: `a ${expected}, or nothing`,
    found: `a ${found}`,
    where,
    remedy: 'move it away and try again',
  });
}
