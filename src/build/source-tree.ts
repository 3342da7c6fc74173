import { PineError } from '../error.ts';
import type { Metadata } from '../repo/tree.ts';
import { type FoundNode, followLinks } from './follow-links.ts';
import {
  bytesContent,
  type SourceContent,
  type SourceDirectory,
  type SourceFile,
  type SourceNode,
} from './source-node.ts';

/** Owner and permissions of something that is added; the file type bits are filled in. */
export interface Ownership {
  /** Permissions with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  /** 0 when left out, and so is the gid. */
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * A tree on its way into a commit: scanned from a directory, then added to in memory.
 *
 * Paths are those of the root that it becomes: absolute, `/` between names, no `.` or `..`.
 */
export class SourceTree {
  readonly root: SourceDirectory;

  constructor(root: SourceDirectory) {
    this.root = root;
  }

  /** One with nothing in it. */
  static empty(): SourceTree {
    const metadata = { mode: 0o040755, uid: 0, gid: 0, xattrs: [] };
    return new SourceTree({ kind: 'directory', ...metadata, entries: new Map() });
  }

  /** What a path names, without following links; `undefined` when nothing has that name. */
  find(path: string): SourceNode | undefined {
    let node: SourceNode | undefined = this.root;
    for (const name of splitPath(path)) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    }
    return node;
  }

  /**
   * What a path names once links are followed as the booted system would: `/sbin/init` to
   * busybox, `/lib` to `/usr/lib`. A link that leads out of the root stays inside it.
   */
  resolve(path: string): FoundNode | undefined {
    return followLinks(this.root, path, 'stay');
  }

  /** Reads a whole file, links followed. Throws NOT_FOUND_TREE_FILE, and INPUT_FILE_TOO_LARGE beyond `limit` bytes. */
  async readFile(path: string, limit: number): Promise<Buffer> {
    const found = this.resolve(path);
    if (found?.node.kind !== 'file') {
      throw new PineError('NOT_FOUND_TREE_FILE', `the tree has no file ${path}`, {
        expected: 'a regular file',
        found: found === undefined ? 'nothing' : `a ${found.node.kind}`,
        where: path,
        remedy: 'add it to the tree that is committed',
      });
    }
    const { content } = found.node;
    if (content.size > limit) {
      throw new PineError('INPUT_FILE_TOO_LARGE', `${path} is larger than it can sensibly be`, {
        expected: `at most ${limit} bytes`,
        found: `${content.size} bytes`,
        where: path,
        remedy: 'check what the tree holds there',
      });
    }
    const pieces: Uint8Array[] = [];
    for await (const piece of content.open()) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Adds or replaces a file. Missing parents are made, as directories of root with mode 0755. */
  putFile(path: string, content: Uint8Array | SourceContent, ownership: Ownership): SourceFile {
    const source = content instanceof Uint8Array ? bytesContent(content) : content;
    const node: SourceFile = {
      kind: 'file',
      ...metadata(0o100000, ownership),
      content: source,
    };
    this.put(path, node);
    return node;
  }

  /** Adds or replaces a symbolic link. */
  putLink(path: string, target: string): void {
    this.put(path, { kind: 'symlink', ...metadata(0o120000, { mode: 0o777 }), target });
  }

  /** Makes a directory where there is none; one that exists is left as it is. */
  putDirectory(path: string, ownership: Ownership): SourceDirectory {
    const present = this.find(path);
    if (present?.kind === 'directory') return present;
    const node: SourceDirectory = {
      kind: 'directory',
      ...metadata(0o040000, ownership),
      entries: new Map(),
    };
    this.put(path, node);
    return node;
  }

  /**
   * Adds or replaces any node. A parent that is a link is followed inside the tree. Throws
   * INPUT_TREE_CONFLICT when one is a file, or a link that leads out of the tree.
   */
  put(path: string, node: SourceNode): void {
    const names = splitPath(path);
    const name = names.pop();
    if (name === undefined) throw conflict(path, 'the root itself');
    this.#directory(names).entries.set(name, node);
  }

  /**
   * Lays a node over what is there, as unpacking a tar over it does: a directory keeps the entries that
   * it has and gets the new owner and mode; where a link leads to a directory, that one is meant and
   * nothing changes. Throws INPUT_TREE_CONFLICT where a directory with entries would be lost.
   */
  layOver(path: string, node: SourceNode): void {
    const names = splitPath(path);
    const name = names.pop();
    const parent = this.#directory(names);
    const present = name === undefined ? this.root : parent.entries.get(name);
    if (node.kind === 'directory') {
      const { entries: _, ...metadata } = node;
      const linked =
        present?.kind === 'symlink' ? followLinks(this.root, path, 'refuse') : undefined;
      if (present?.kind === 'directory') Object.assign(present, metadata);
      else if (linked?.node.kind !== 'directory') this.put(path, node);
      return;
    }
    if (present?.kind === 'directory' && present.entries.size > 0) {
      throw conflict(path, 'a directory that is not empty', 'nothing, or what can be replaced');
    }
    this.put(path, node);
  }

  /** Takes a name away, without following a link there; says whether there was one. */
  remove(path: string): boolean {
    const names = splitPath(path);
    const name = names.pop();
    if (name === undefined) throw conflict(path, 'the root itself');
    const parent = this.resolve(`/${names.join('/')}`)?.node;
    return parent?.kind === 'directory' && parent.entries.delete(name);
  }

  #directory(names: readonly string[]): SourceDirectory {
    let path = '';
    let here = this.root;
    for (const name of names) {
      path += `/${name}`;
      const next = here.entries.has(name) ? followLinks(this.root, path, 'refuse') : undefined;
      if (next === undefined && !here.entries.has(name)) {
        const made: SourceDirectory = {
          kind: 'directory',
          ...metadata(0o040000, { mode: 0o755 }),
          entries: new Map(),
        };
        here.entries.set(name, made);
        here = made;
        continue;
      }
      if (next?.node.kind !== 'directory')
        throw conflict(path, next?.node.kind ?? 'a link to nothing, or out of the tree');
      here = next.node;
      path = next.path === '/' ? '' : next.path;
    }
    return here;
  }
}

function metadata(type: number, ownership: Ownership): Metadata {
  const { mode, uid = 0, gid = 0 } = ownership;
  return { mode: type | (mode & 0o7777), uid, gid, xattrs: [] };
}

function splitPath(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function conflict(path: string, found: string, expected = 'a directory'): PineError {
  return new PineError('INPUT_TREE_CONFLICT', `${path} can't be added to the tree`, {
    expected,
    found,
    where: path,
    remedy: 'rename or remove what the tree holds there',
  });
}
