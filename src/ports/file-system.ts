import type { Xattr } from './xattr-dump.ts';

/** What a path names, as `lstat` tells it. Sizes are bytes, ids are numbers, mode is the whole st_mode. */
export interface FileStatus {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Modification time, in seconds since 1970. */
  readonly mtime: number;
  /** When anything of it changed last, in milliseconds and parts of one: nobody can set it back. */
  readonly ctime: number;
  readonly inode: number;
}

/**
 * The file system as far as a machine's state needs it: whole small files, names, and durability.
 * Paths, names and the targets of links are text as in `path-text.ts`: every name has one.
 *
 * Nothing is durable before `sync` of the file (its content) and of its folder (its name). Tests
 * replace this port by one that records every change and can cut the power after each (test/crash).
 */
export interface FileSystem {
  /** `undefined` when nothing has that name. */
  status(path: string): Promise<FileStatus | undefined>;
  /** Reads a file of at most `limit` bytes; `undefined` when it is missing; throws CORRUPT_TOO_LARGE beyond. */
  readFile(path: string, limit: number): Promise<Buffer | undefined>;
  /** Reads a piece of a file, into `into` if that is given and known; fewer bytes than asked for only at its end. */
  readAt(path: string, position: number, length: number, into?: Buffer): Promise<Buffer>;
  /** Creates or truncates. */
  writeFile(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Adds at the end of an existing file, or creates it. */
  appendFile(path: string, bytes: Uint8Array, mode: number): Promise<void>;
  /** Names in a folder, sorted by bytes; `undefined` when it is missing. */
  readFolder(path: string): Promise<string[] | undefined>;
  /** Makes the folder and its parents; nothing happens when it is there. */
  makeFolder(path: string, mode: number): Promise<void>;
  readLink(path: string): Promise<string>;
  makeLink(target: string, path: string): Promise<void>;
  setOwner(path: string, uid: number, gid: number): Promise<void>;
  setMode(path: string, mode: number): Promise<void>;
  /** Sets the modification time, in seconds since 1970; of a symlink itself. */
  setTime(path: string, mtime: number): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or a whole folder; nothing happens when it is missing. */
  remove(path: string): Promise<void>;
  /** fsync of a file or of a folder. */
  sync(path: string): Promise<void>;
  /** syncfs of the file system that `path` is on. */
  syncAll(path: string): Promise<void>;
  /**
   * The extended attributes below a folder, by path relative to it (`.` is the folder itself), each sorted by name;
   * `undefined` where `getfattr` is not installed. Throws PROGRAM_XATTR, also when files go meanwhile.
   */
  readXattrs(folder: string): Promise<ReadonlyMap<string, readonly Xattr[]> | undefined>;
  /** Sets extended attributes below a folder; paths are relative to it. Throws PROGRAM_MISSING, PROGRAM_XATTR. */
  writeXattrs(
    folder: string,
    entries: Iterable<readonly [path: string, xattrs: readonly Xattr[]]>,
  ): Promise<void>;
  /** Bytes that can still be written under `path`. */
  freeBytes(path: string): Promise<number>;
}
