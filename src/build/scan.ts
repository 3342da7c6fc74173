import { isUtf8 } from 'node:buffer';
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { PineError } from '../error.ts';
import { readTreeXattrs } from '../ports/xattr-dump.ts';
import type { Metadata, Xattr } from '../repo/tree.ts';
import { changed, fileContent, unreadable } from './file-content.ts';
import type { SourceDirectory, SourceFile, SourceNode } from './source-node.ts';
import { SourceTree } from './source-tree.ts';

export interface ScanOptions {
  /** Leaves devices, sockets and fifos out everywhere, not only below /dev. */
  readonly skipSpecial?: boolean;
  /** Gives everything this owner, as `ostree commit --owner-uid`. */
  readonly ownerUid?: number;
  readonly ownerGid?: number;
}

export interface Scan {
  readonly tree: SourceTree;
  /** What was left out, as paths in the tree. */
  readonly skipped: readonly string[];
}

/**
 * Reads a folder as the root of a tree: names, modes, owners, links and xattrs, not the contents.
 *
 * Throws NOT_FOUND_FOLDER, INPUT_SPECIAL_FILE, INPUT_NAME (not UTF-8), INPUT_FILE_UNREADABLE.
 */
export async function scanFolder(folder: string, options: ScanOptions = {}): Promise<Scan> {
  const status = lstatSync(folder, { bigint: true, throwIfNoEntry: false });
  const isLink = status?.isSymbolicLink();
  if (!(isLink ? lstatSync(`${folder}/.`, { throwIfNoEntry: false }) : status)?.isDirectory()) {
    throw new PineError('NOT_FOUND_FOLDER', 'there is no such folder', {
      expected: 'a folder that is the root of a tree',
      found: status === undefined ? 'nothing' : 'something else',
      where: folder,
      remedy: 'give the folder that `apk --root` or `make-root` filled',
    });
  }
  const scanner = new Scanner(folder, await readTreeXattrs(folder), options);
  return { tree: new SourceTree(scanner.root()), skipped: scanner.skipped };
}

class Scanner {
  readonly skipped: string[] = [];
  readonly #folder: string;
  readonly #xattrs: ReadonlyMap<string, readonly Xattr[]>;
  readonly #options: ScanOptions;
  /** Files with several names, by device and inode: read and hashed once. */
  readonly #linked = new Map<string, SourceFile>();

  constructor(folder: string, xattrs: ReadonlyMap<string, readonly Xattr[]>, options: ScanOptions) {
    this.#folder = folder;
    this.#xattrs = xattrs;
    this.#options = options;
  }

  root(): SourceDirectory {
    return this.#directory('', lstatSync(`${this.#folder}/.`, { bigint: true }));
  }

  /** `path` is relative to the root, `''` for the root itself. */
  #directory(path: string, status: BigIntStats): SourceDirectory {
    const entries = new Map<string, SourceNode>();
    for (const name of this.#names(path)) {
      const node = this.#node(path === '' ? name : `${path}/${name}`);
      if (node !== undefined) entries.set(name, node);
    }
    return { kind: 'directory', ...this.#metadata(path, status), entries };
  }

  #node(path: string): SourceNode | undefined {
    const absolute = `${this.#folder}/${path}`;
    const status = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
    if (status === undefined) throw changed(absolute, 'it is gone');
    if (status.isDirectory()) return this.#directory(path, status);
    if (status.isFile()) return this.#file(path, status);
    if (status.isSymbolicLink()) {
      const target = readlinkSync(absolute, 'buffer');
      if (!isUtf8(target)) throw notUtf8('a link has a target', target, absolute);
      return { kind: 'symlink', ...this.#metadata(path, status), target: target.toString() };
    }
    if (!path.startsWith('dev/') && !this.#options.skipSpecial) {
      throw special(absolute, kindOf(status));
    }
    this.skipped.push(`/${path}`);
    return undefined;
  }

  #file(path: string, status: BigIntStats): SourceFile {
    const key = `${status.dev}:${status.ino}`;
    const known = this.#linked.get(key);
    if (known !== undefined) return known;
    const content = fileContent(`${this.#folder}/${path}`, status);
    const node: SourceFile = { kind: 'file', ...this.#metadata(path, status), content };
    if (status.nlink > 1n) this.#linked.set(key, node);
    return node;
  }

  #metadata(path: string, status: BigIntStats): Metadata {
    const { ownerUid, ownerGid } = this.#options;
    const xattrs = this.#xattrs.get(path === '' ? '.' : path) ?? [];
    return {
      mode: Number(status.mode),
      uid: ownerUid ?? Number(status.uid),
      gid: ownerGid ?? Number(status.gid),
      xattrs: xattrs.filter(({ value }) => value.length > 0),
    };
  }

  #names(path: string): string[] {
    const folder = `${this.#folder}/${path}`;
    try {
      return readdirSync(folder, { encoding: 'buffer' }).map((name) => {
        if (!isUtf8(name)) throw notUtf8('a file has a name', name, folder);
        return name.toString();
      });
    } catch (error) {
      if (error instanceof PineError) throw error;
      throw unreadable(folder, (error as Error).message);
    }
  }
}

function kindOf(status: BigIntStats): string {
  if (status.isFIFO()) return 'a fifo';
  return status.isSocket() ? 'a socket' : 'a device';
}

/** What a commit can not hold: devices, sockets, fifos. */
export function special(where: string, found: string): PineError {
  return new PineError('INPUT_SPECIAL_FILE', `a commit can't hold ${found}`, {
    expected: 'files, folders and symbolic links (devices below /dev are left out)',
    found,
    where,
    remedy: 'remove it, or leave such files out with --skip-special',
  });
}

/** A name or link target that OSTree does not take; `what` says whose. */
export function notUtf8(what: string, bytes: Buffer, where: string): PineError {
  return new PineError('INPUT_NAME', `${what} that is not UTF-8`, {
    expected: 'names in UTF-8, as OSTree wants them',
    found: JSON.stringify(bytes.toString('latin1')),
    where,
    remedy: 'rename or remove it',
  });
}
