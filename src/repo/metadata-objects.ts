import { PineError } from '../error.ts';
import { readDirectoryTree } from './directory-tree-codec.ts';
import { bytes, string, uint32BigEndian } from './gvariant/basic.ts';
import { asBuffer, decode } from './gvariant/codec.ts';
import { array, tuple } from './gvariant/containers.ts';
import { compareBytes, type Metadata, type Xattr } from './tree.ts';

/** `a(ayay)`: names with their NUL, and values. */
export const xattrList = array(tuple(bytes, bytes));

const dirmeta = tuple(uint32BigEndian, uint32BigEndian, uint32BigEndian, xattrList);
const dirtree = tuple(array(tuple(string, bytes)), array(tuple(string, bytes, bytes)));

/** What a dirtree says: names only lead to checksums, sizes are nowhere. */
export interface DirectoryTree {
  readonly files: readonly { readonly name: string; readonly checksum: string }[];
  readonly directories: readonly {
    readonly name: string;
    readonly tree: string;
    readonly meta: string;
  }[];
}

/** The bytes of a .dirmeta: `(uuua(ayay))`. */
export function encodeDirectoryMetadata(metadata: Metadata): Buffer {
  const { uid, gid, mode, xattrs } = metadata;
  return dirmeta.encode([uid, gid, mode, encodeXattrs(xattrs)]);
}

/** Reads a .dirmeta. Throws CORRUPT_GVARIANT, CORRUPT_OBJECT. */
export function decodeDirectoryMetadata(object: Uint8Array, where: string): Metadata {
  const [uid, gid, mode, xattrs] = decode(dirmeta, object, where);
  if ((mode & 0o170000) !== 0o040000 || mode > 0o177777) {
    throw corrupt('a directory has a mode that is none', `mode 0${mode.toString(8)}`, where);
  }
  return { uid, gid, mode, xattrs: decodeXattrs(xattrs, where) };
}

/** The bytes of a .dirtree: `(a(say)a(sayay))`. Sorts by name. */
export function encodeDirectoryTree({ files, directories }: DirectoryTree): Buffer {
  const byName = (a: { name: string }, b: { name: string }) => compareBytes(a.name, b.name);
  return dirtree.encode([
    files.toSorted(byName).map(({ name, checksum }) => [name, Buffer.from(checksum, 'hex')]),
    directories
      .toSorted(byName)
      .map(({ name, tree, meta }) => [name, Buffer.from(tree, 'hex'), Buffer.from(meta, 'hex')]),
  ]);
}

/**
 * Reads a .dirtree and refuses what could lead out of a tree: names that are empty, `.`, `..` or
 * hold a `/`, twice the same, or out of order. Throws CORRUPT_GVARIANT, CORRUPT_OBJECT.
 */
export function decodeDirectoryTree(object: Uint8Array, where: string): DirectoryTree {
  const files: { name: string; checksum: string }[] = [];
  const directories: { name: string; tree: string; meta: string }[] = [];
  readDirectoryTree(asBuffer(object), where, {
    file: (name, [checksum = '']) => files.push({ name, checksum }),
    directory: (name, [tree = '', meta = '']) => directories.push({ name, tree, meta }),
  });
  checkNames(files, where);
  checkNames(directories, where);
  checkApart(files, directories, where);
  return { files, directories };
}

/** Both are in order: they are gone through side by side. */
function checkApart(
  files: DirectoryTree['files'],
  directories: DirectoryTree['directories'],
  where: string,
): void {
  let at = 0;
  for (const { name } of directories) {
    for (; at < files.length && compareBytes(files[at]?.name ?? '', name) < 0; at += 1);
    if (files[at]?.name === name) {
      throw corrupt('a tree has a name twice', JSON.stringify(name), where);
    }
  }
}

function checkNames(entries: readonly { readonly name: string }[], where: string): void {
  let last: string | undefined;
  for (const { name } of entries) {
    if (name === '' || name === '.' || name === '..' || name.includes('/')) {
      throw corrupt('a tree has a name that leads elsewhere', JSON.stringify(name), where);
    }
    if (Buffer.byteLength(name) > 255) {
      throw corrupt(
        'a tree has a name that is too long',
        `${Buffer.byteLength(name)} bytes`,
        where,
      );
    }
    if (last !== undefined && compareBytes(last, name) >= 0) {
      throw corrupt('a tree has its names twice or out of order', JSON.stringify(name), where);
    }
    last = name;
  }
}

/** The form in which xattrs are hashed: sorted by name, the zero-length ones left out, as ostree does. */
export function encodeXattrs(xattrs: readonly Xattr[]): [Uint8Array, Uint8Array][] {
  return xattrs
    .filter(({ value }) => value.length > 0)
    .toSorted((a, b) => compareBytes(a.name, b.name))
    .map(({ name, value }) => [Buffer.from(`${name}\0`), value]);
}

/** The reverse of `encodeXattrs`; `where` names the object. Throws CORRUPT_OBJECT. */
export function decodeXattrs(
  list: readonly (readonly [Uint8Array, Uint8Array])[],
  where: string,
): Xattr[] {
  let last: string | undefined;
  return list.map(([rawName, value]) => {
    const name = Buffer.from(rawName).toString('utf8', 0, rawName.length - 1);
    if (!Buffer.from(`${name}\0`).equals(rawName) || name === '' || name.includes('\0')) {
      throw corrupt('an extended attribute has no usable name', JSON.stringify(name), where);
    }
    if (last !== undefined && compareBytes(last, name) >= 0) {
      throw corrupt('extended attributes are twice or out of order', JSON.stringify(name), where);
    }
    last = name;
    return { name, value };
  });
}

function corrupt(summary: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', summary, {
    expected: 'an object as `ostree commit` writes it',
    found,
    where,
    remedy: 'do not use this tree; commit or fetch it again from a source that you trust',
  });
}
