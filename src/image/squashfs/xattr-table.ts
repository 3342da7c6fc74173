import type { Xattr } from '../../repo/tree.ts';
import { limits, refuseTree } from '../limits.ts';
import { none } from './format.ts';
import {
  blockPositions,
  encodeReference,
  type MetadataPosition,
  MetadataStream,
  storeMetadata,
} from './metadata-stream.ts';

/** The namespaces that squashfs knows, by their number in an attribute's record. */
export const xattrPrefixes = ['user.', 'trusted.', 'security.'] as const;

interface XattrSet {
  readonly position: MetadataPosition;
  readonly count: number;
  /** As listxattr and getxattr would hand them out: names with a NUL, and values. */
  readonly bytes: number;
}

/** The extended attributes of an image. Inodes with equal attributes share one set. */
export class XattrTable {
  readonly #ids = new Map<string, number>();
  readonly #sets: XattrSet[] = [];
  readonly #pairs = new MetadataStream();

  get isEmpty(): boolean {
    return this.#sets.length === 0;
  }

  /** The number under which an inode names its attributes. */
  idOf(xattrs: readonly Xattr[], path: string): number {
    if (xattrs.length === 0) return none;
    const pairs = Buffer.concat(xattrs.map((xattr) => encodePair(xattr, path)));
    const key = pairs.toString('latin1');
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#sets.length;
    const bytes = countBytes(xattrs, path);
    this.#ids.set(key, id);
    this.#sets.push({ position: this.#pairs.append(pairs), count: xattrs.length, bytes });
    return id;
  }

  /** The table for position `start` of the image; the superblock points to `arrayStart`. */
  encode(start: number): { readonly bytes: Buffer; readonly arrayStart: number } {
    const pairs = this.#pairs.encode();
    const payload = Buffer.alloc(this.#sets.length * 16);
    this.#sets.forEach(({ position, count, bytes }, index) => {
      payload.writeBigUInt64LE(encodeReference(position), index * 16);
      payload.writeUInt32LE(count, index * 16 + 8);
      payload.writeUInt32LE(bytes, index * 16 + 12);
    });
    const sets = storeMetadata(payload);
    const setsStart = start + pairs.length;
    const header = Buffer.alloc(16);
    header.writeBigUInt64LE(BigInt(start), 0);
    header.writeUInt32LE(this.#sets.length, 8);
    return {
      bytes: Buffer.concat([pairs, sets, header, blockPositions(payload.length, setsStart)]),
      arrayStart: setsStart + sets.length,
    };
  }
}

function countBytes(xattrs: readonly Xattr[], path: string): number {
  let bytes = 0;
  for (const { name, value } of xattrs) bytes += Buffer.byteLength(name) + 1 + value.length;
  if (bytes > limits.xattrSetBytes) {
    refuseTree('INPUT_XATTR', 'the extended attributes of a file are too long', {
      expected: `at most ${limits.xattrSetBytes} bytes of names and values in all`,
      found: `${bytes} bytes`,
      where: path,
    });
  }
  return bytes;
}

function encodePair({ name, value }: Xattr, path: string): Buffer {
  const type = xattrPrefixes.findIndex((prefix) => name.startsWith(prefix));
  const prefix = xattrPrefixes[type];
  if (prefix === undefined) refuseNamespace(name, path);
  const rest = Buffer.from(name.slice(prefix.length));
  if (rest.length === 0 || Buffer.byteLength(name) > limits.xattrNameBytes) {
    refuseTree('INPUT_XATTR', 'the name of an extended attribute is empty or too long', {
      expected: `a name behind the namespace, ${limits.xattrNameBytes} bytes in all`,
      found: `${Buffer.byteLength(name)} bytes`,
      where: `${name.slice(0, 64)} of ${path}`,
    });
  }
  if (value.length > limits.xattrValueBytes) {
    refuseTree('INPUT_XATTR', 'the value of an extended attribute is too long', {
      expected: `at most ${limits.xattrValueBytes} bytes`,
      found: `${value.length} bytes`,
      where: `${name} of ${path}`,
    });
  }
  const pair = Buffer.alloc(4 + rest.length + 4 + value.length);
  pair.writeUInt16LE(type, 0);
  pair.writeUInt16LE(rest.length, 2);
  rest.copy(pair, 4);
  pair.writeUInt32LE(value.length, 4 + rest.length);
  pair.set(value, 8 + rest.length);
  return pair;
}

function refuseNamespace(name: string, path: string): never {
  const isAcl = name.startsWith('system.posix_acl_');
  refuseTree(
    isAcl ? 'INPUT_POSIX_ACL' : 'INPUT_XATTR',
    isAcl
      ? 'squashfs cannot hold POSIX ACLs'
      : 'squashfs cannot hold an extended attribute of this namespace',
    {
      expected: `attributes of the namespaces ${xattrPrefixes.join(' ')}`,
      found: name,
      where: path,
      remedy: isAcl
        ? `remove it with: setfacl -b ${path} (as seen from the root of the tree)`
        : `remove it with: setfattr -x ${name} ${path} (as seen from the root of the tree)`,
    },
  );
}
