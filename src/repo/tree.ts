import type { Xattr } from '../ports/xattr-dump.ts';

/**
 * A root tree as the repository sees it: everything that is hashed, and nothing else.
 *
 * Shared by all who make or read trees: a scan of a directory (build/), dirtree objects (repo/)
 * and an image (image/).
 */

export type { Xattr };

export interface Metadata {
  /** The whole st_mode: 0o100644, 0o120777, 0o40755. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Sorted by the bytes of the name. */
  readonly xattrs: readonly Xattr[];
}

export interface FileNode extends Metadata {
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
  /** The OSTree checksum of the file object: 64 hex digits. */
  readonly checksum: string;
}

export interface SymlinkNode extends Metadata {
  readonly kind: 'symlink';
  readonly target: string;
  readonly checksum: string;
}

export interface DirectoryNode extends Metadata {
  readonly kind: 'directory';
  /** By name. Order does not matter: whoever needs one sorts with `compareBytes`. */
  readonly entries: ReadonlyMap<string, TreeNode>;
}

export type TreeNode = FileNode | SymlinkNode | DirectoryNode;

/** The order of names in OSTree and squashfs: by their UTF-8 bytes (JavaScript's own is by UTF-16). */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
