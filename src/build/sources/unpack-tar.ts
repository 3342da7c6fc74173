import { isUtf8 } from 'node:buffer';
import { PineError } from '../../error.ts';
import { compareBytes, type Metadata } from '../../repo/tree.ts';
import { mostEntries } from '../../repo/tree-limits.ts';
import { type ReadTarOptions, readTar, type TarEntry } from '../../tar/read-tar.ts';
import { followLinks } from '../follow-links.ts';
import { notUtf8, type ScanOptions, special } from '../scan.ts';
import type { SourceNode } from '../source-node.ts';
import type { SourceTree } from '../source-tree.ts';
import type { Spool } from './spool.ts';

/** How entries are taken. */
export type UnpackOptions = Pick<ScanOptions, 'skipSpecial'> & ReadTarOptions;

/**
 * Unpacks a tar over a tree, in memory, as `tar -x` would on a disk: later entries win, missing parents
 * are made. Contents go to the spool. Gives the devices that were left out.
 *
 * Nothing leads out of the tree: absolute names, `..`, and parents that are links to elsewhere are
 * refused. Throws CORRUPT_TAR, INPUT_TAR_ENTRY, INPUT_NAME, INPUT_SPECIAL_FILE, INPUT_TREE_CONFLICT;
 * `where` names the archive.
 */
export async function unpackTar(
  tree: SourceTree,
  archive: AsyncIterable<Uint8Array>,
  spool: Spool,
  where: string,
  options: UnpackOptions = {},
): Promise<string[]> {
  const skipped: string[] = [];
  let entries = 0;
  for await (const entry of readTar(archive, options)) {
    entries += 1;
    // S9: a few kilobytes can be packed that make more entries than there is memory for.
    if (entries > mostEntries) throw refused(where, `at most ${mostEntries} entries`, 'more');
    const path = treePath(entry.name, entry, where);
    checkSupported(entry, path, where);
    const metadata = metadataOf(entry);
    if ('346'.includes(entry.type)) {
      if (!path.startsWith('/dev/') && !options.skipSpecial) {
        throw special(`${where}:${path}`, entry.type === '6' ? 'a fifo' : 'a device');
      }
      skipped.push(path);
      continue;
    }
    const node =
      entry.type === '1'
        ? linkedNode(tree, path, treePath(entry.linkName, entry, where), where)
        : await newNode(entry, path, metadata, spool, where);
    tree.layOver(path, node);
  }
  return skipped;
}

async function newNode(
  entry: TarEntry,
  path: string,
  metadata: (type: number) => Metadata,
  spool: Spool,
  where: string,
): Promise<SourceNode> {
  if (entry.type === '2') {
    if (!isUtf8(entry.linkName)) {
      throw notUtf8('a link has a target', entry.linkName, `${where}:${path}`);
    }
    const target = entry.linkName.toString();
    if (target === '' || target.includes('\0')) {
      throw refused(`${where}:${path}`, 'a link with a target', JSON.stringify(target));
    }
    return { kind: 'symlink', ...metadata(0o120000), mode: 0o120777, target };
  }
  // Before POSIX, a folder was a file with a slash behind its name.
  if (entry.type === '5' || entry.name.at(-1) === 0x2f) {
    return { kind: 'directory', ...metadata(0o040000), entries: new Map() };
  }
  return { kind: 'file', ...metadata(0o100000), content: await spool.add(entry.content) };
}

/** A hard link is one more name of what an entry before it made, maybe below a link to a folder. */
function linkedNode(tree: SourceTree, path: string, target: string, where: string): SourceNode {
  const slash = target.lastIndexOf('/');
  const parent = followLinks(tree.root, target.slice(0, slash), 'refuse')?.node;
  const name = target.slice(slash + 1);
  const node = parent?.kind === 'directory' ? parent.entries.get(name) : undefined;
  if (node !== undefined && node.kind !== 'directory') return node;
  const found = `${target}, which is ${node === undefined ? 'not there yet' : 'a folder'}`;
  throw refused(`${where}:${path}`, 'a hard link to a file that came before it', found);
}

/** `/` and the names of a path in an archive. */
function treePath(name: Buffer, entry: TarEntry, where: string): string {
  const at = `${where}, byte ${entry.offset}`;
  if (!isUtf8(name)) throw notUtf8('a file has a name', name, at);
  const text = name.toString();
  const names = text.split('/').filter((part) => part !== '' && part !== '.');
  const leadsOut = text.startsWith('/') || names.includes('..');
  const tooLong = names.some((part) => Buffer.byteLength(part) > 255);
  if (text === '' || leadsOut || tooLong || text.includes('\0')) {
    const expected = 'a path below the root, without `..`, names of at most 255 bytes';
    throw refused(at, expected, JSON.stringify(text.slice(0, 300)));
  }
  return `/${names.join('/')}`;
}

function checkSupported(entry: TarEntry, path: string, where: string): void {
  const problem =
    (entry.isSparse && 'a sparse file') ||
    (entry.hasAcl && 'a POSIX ACL') ||
    (!'01234567'.includes(entry.type) && `an entry of type ${JSON.stringify(entry.type)}`);
  if (!problem) return;
  const expected = 'files, folders and links, made by tar without --sparse, --acls, --incremental';
  throw refused(`${where}:${path}`, expected, problem);
}

function metadataOf({ mode, uid, gid, xattrs }: TarEntry): (type: number) => Metadata {
  return (type) => ({
    mode: type | mode,
    uid,
    gid,
    xattrs: xattrs
      .filter(([, value]) => value.length > 0)
      .map(([name, value]) => ({ name, value }))
      .toSorted((a, b) => compareBytes(a.name, b.name)),
  });
}

function refused(where: string, expected: string, found: string): PineError {
  return new PineError('INPUT_TAR_ENTRY', "an entry of a tar can't be committed", {
    expected,
    found,
    where,
    remedy: 'make the archive of a root tree: `tar -C ROOT --xattrs --numeric-owner -c .`',
  });
}
