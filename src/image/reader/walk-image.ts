import type { Metadata } from '../../repo/tree.ts';
import { limits } from '../limits.ts';
import { inodeType } from '../squashfs/format.ts';
import { corruptImage } from './corrupt-image.ts';
import type { StoredInode } from './inode-reader.ts';
import { type ListedName, readListing } from './listing-reader.ts';
import type { Image } from './open-image.ts';

/** What an image holds under a path. */
export type ImageEntry = Metadata & { readonly path: string } & (
    | { readonly kind: 'directory' }
    | { readonly kind: 'symlink'; readonly target: string }
    /** `offset` and `size` are bytes of the image. */
    | { readonly kind: 'file'; readonly offset: number; readonly size: number }
  );

/** An inode, and the path that leads to it. */
export interface NamedInode {
  readonly path: string;
  readonly inode: StoredInode;
}

interface OpenDirectory {
  readonly path: string;
  readonly number: number;
  readonly names: AsyncGenerator<ListedName>;
}

/**
 * Everything in an image: a directory before what is in it, names in the order of their bytes.
 *
 * Ends, and in bounded time, for any bytes: a directory's number is above those of all in it, and
 * every inode has one name.
 */
export async function* walkInodes(image: Image): AsyncGenerator<NamedInode> {
  const root = await image.inodeAt(image.superblock.root);
  if (root.number !== image.superblock.inodes) {
    throw corruptImage(`inode ${image.superblock.inodes}`, `${root.number}`, 'the root');
  }
  yield { path: '/', inode: root };
  const open = [openDirectory(image, root, '/', image.superblock.inodes + 1)];
  const left = yield* walkBelow(image, open, image.superblock.inodes - 1);
  if (left !== 0) throw corruptImage('a name for each inode', `${left} without`, 'the whole image');
}

/** The same with mode, owner and attributes, each of which is looked up in a table of its own. */
export async function* walkImage(image: Image): AsyncGenerator<ImageEntry> {
  for await (const named of walkInodes(image)) yield describe(image, named);
}

/**
 * A path of an image and everything below it, as `walkImage` gives it; nothing when the image does not have it, or a
 * link or file stands in the way.
 */
export async function* walkFolder(image: Image, path: string): AsyncGenerator<ImageEntry> {
  let inode = await image.inodeAt(image.superblock.root);
  let parent = image.superblock.inodes + 1;
  let here = '/';
  for (const part of path.split('/').filter((name) => name !== '')) {
    if (inode.type !== inodeType.directory) return;
    const found = await findName(openDirectory(image, inode, here, parent), part);
    if (found === undefined) return;
    parent = inode.number;
    inode = await image.inodeAt(found.inode);
    here = below(here, part);
    if (inode.number !== found.number || inode.number >= parent) {
      throw corruptImage(`inode ${found.number}`, `${inode.number}`, here);
    }
  }
  yield describe(image, { path: here, inode });
  if (inode.type !== inodeType.directory) return;
  const open = [openDirectory(image, inode, here, parent)];
  for await (const named of walkBelow(image, open, inode.number)) yield describe(image, named);
}

async function findName({ names }: OpenDirectory, wanted: string): Promise<ListedName | undefined> {
  for await (const entry of names) if (entry.name === wanted) return entry;
  return undefined;
}

function below(path: string, name: string): string {
  return path === '/' ? `/${name}` : `${path}/${name}`;
}

/** Everything in the directories of `open`. Returns how many of `most` inodes were not met. */
async function* walkBelow(
  image: Image,
  open: OpenDirectory[],
  most: number,
): AsyncGenerator<NamedInode, number> {
  let left = most;
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const { value, done } = await top.names.next();
    if (done) {
      open.pop();
      continue;
    }
    const path = below(top.path, value.name);
    if (left-- === 0) throw corruptImage('one name for each inode', 'more names', path);
    const inode = await image.inodeAt(value.inode);
    if (inode.number !== value.number || inode.type !== value.type || inode.number >= top.number) {
      throw corruptImage(`inode ${value.number} of type ${value.type}`, 'another one', path);
    }
    yield { path, inode };
    if (inode.type !== inodeType.directory) continue;
    if (open.length > limits.depth) throw corruptImage('fewer levels', `${open.length}`, path);
    open.push(openDirectory(image, inode, path, top.number));
  }
  return left;
}

function openDirectory(
  image: Image,
  inode: StoredInode,
  path: string,
  parent: number,
): OpenDirectory {
  if (inode.type !== inodeType.directory) throw corruptImage('a directory', 'another inode', path);
  if (inode.parent !== parent) throw corruptImage(`parent ${parent}`, `${inode.parent}`, path);
  const names = readListing(image.listings, inode.listing, inode.length);
  return { path, number: inode.number, names };
}

async function describe(image: Image, { path, inode }: NamedInode): Promise<ImageEntry> {
  const metadata = await image.metadata(inode);
  switch (inode.type) {
    case inodeType.directory:
      return { ...metadata, path, kind: 'directory' };
    case inodeType.symlink:
      return { ...metadata, path, kind: 'symlink', target: inode.target };
    case inodeType.file:
      return { ...metadata, path, kind: 'file', offset: inode.start, size: inode.size };
  }
}
