import { createHash, type Hash } from 'node:crypto';
import { PineError } from '../error.ts';
import { string, uint32BigEndian, uint64BigEndian } from './gvariant/basic.ts';
import { decode } from './gvariant/codec.ts';
import { tuple } from './gvariant/containers.ts';
import { decodeXattrs, encodeXattrs, xattrList } from './metadata-objects.ts';
import type { Metadata } from './tree.ts';

/** What stands before the content in a file object. */
export interface FileHeader extends Metadata {
  /** Bytes of the plain content; 0 for a symlink. */
  readonly size: number;
  /** A symlink's target; `''` for a file. */
  readonly target: string;
}

const u32 = uint32BigEndian;
/** uid, gid, mode, rdev, link target, xattrs: what is hashed. */
const hashedHeader = tuple(u32, u32, u32, u32, string, xattrList);
const storedHeader = tuple(uint64BigEndian, u32, u32, u32, u32, string, xattrList);

/** Bytes before a header: its length and zeros. */
export const headerPrefix = 8;
/** No header is longer: 64 KiB of xattr names and as much of each value fit the kernel's limits. */
export const longestHeader = 16 * 1024 * 1024;

/** A hash that has taken in the header; add the plain content, and it is the object's checksum. */
export function fileObjectHash(header: Omit<FileHeader, 'size'>): Hash {
  return createHash('sha256').update(fileObjectPrefix(header));
}

/** What is hashed before the content. */
export function fileObjectPrefix(header: Omit<FileHeader, 'size'>): Buffer {
  const { uid, gid, mode, target, xattrs } = header;
  return prefixed(hashedHeader.encode([uid, gid, mode, 0, target, encodeXattrs(xattrs)]));
}

/** The first bytes of a .filez: prefix and header. Deflated content follows, nothing for a symlink. */
export function encodeFileHeader(header: FileHeader): Buffer {
  const { size, uid, gid, mode, target, xattrs } = header;
  return prefixed(
    storedHeader.encode([BigInt(size), uid, gid, mode, 0, target, encodeXattrs(xattrs)]),
  );
}

/** The length of the header that a .filez's first 8 bytes announce. Throws CORRUPT_OBJECT. */
export function headerLength(prefix: Buffer, where: string): number {
  const length = prefix.length < headerPrefix ? -1 : prefix.readUInt32BE(0);
  if (length < 0 || length > longestHeader || prefix.readUInt32BE(4) !== 0) {
    throw corrupt('a file object has no header', `${prefix.length} bytes`, where);
  }
  return length;
}

/** Reads a header without its prefix. Throws CORRUPT_GVARIANT, CORRUPT_OBJECT. */
export function decodeFileHeader(bytes: Uint8Array, where: string): FileHeader {
  const [size, uid, gid, mode, device, target, xattrs] = decode(storedHeader, bytes, where);
  const type = mode & 0o170000;
  if ((type !== 0o100000 && type !== 0o120000) || mode > 0o177777 || device !== 0) {
    throw corrupt('a file object is no file and no link', `mode 0${mode.toString(8)}`, where);
  }
  const isLink = type === 0o120000;
  if (isLink ? size !== 0n || target === '' : target !== '') {
    throw corrupt('a file object is half file, half link', JSON.stringify(target), where);
  }
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw corrupt('a file object has a size that is none', `${size} bytes`, where);
  }
  return { size: Number(size), uid, gid, mode, target, xattrs: decodeXattrs(xattrs, where) };
}

/** Whether a header is that of a symlink. */
export function isLinkHeader(header: FileHeader): boolean {
  return (header.mode & 0o170000) === 0o120000;
}

function prefixed(body: Buffer): Buffer {
  const prefix = Buffer.alloc(headerPrefix);
  prefix.writeUInt32BE(body.length, 0);
  return Buffer.concat([prefix, body]);
}

function corrupt(summary: string, found: string, where: string): PineError {
  return new PineError('CORRUPT_OBJECT', summary, {
    expected: 'a .filez as `ostree commit` writes it',
    found,
    where,
    remedy: 'fetch or commit it again; `pinectl fsck` lists all damaged objects',
  });
}
