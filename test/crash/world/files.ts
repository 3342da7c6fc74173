import { dirname } from 'node:path/posix';
import { crc32 } from 'node:zlib';
import { PineError } from '../../../src/error.ts';
import type { FileStatus, FileSystem } from '../../../src/ports/file-system.ts';
import type { Xattr } from '../../../src/ports/xattr-dump.ts';
import type { Loss } from './loss.ts';
import type { Power } from './power.ts';

interface Attributes {
  xattrs: readonly Xattr[];
  mode: number;
  uid: number;
  gid: number;
  mtime: number;
}

/** A file, link or folder. What is `durable` is on the medium; the rest is lost or not when the power goes. */
interface Inode extends Attributes {
  readonly kind: 'file' | 'symlink' | 'directory' | 'other';
  content: Buffer;
  durable: (Attributes & { content: Buffer }) | undefined;
  entries: Map<string, Inode>;
  durableEntries: Map<string, Inode>;
  /** Changes of the entries since the last sync, in order; a rename within the folder is one change. */
  journal: ((entries: Map<string, Inode>) => void)[];
}

/**
 * A file system in memory whose changes are volatile: contents until the file is synced, names until their folder
 * is. A cut leaves of each folder some first part of its changes, and of each file the old, the new or a torn
 * content. This is less than ext4 promises, so what holds here holds there.
 */
export class Files implements FileSystem {
  readonly #power: Power;
  readonly #root: Inode;
  free = 2 ** 40;

  constructor(power: Power, root: Inode = newInode('directory', 0o755)) {
    this.#power = power;
    this.#root = root;
  }

  async status(path: string): Promise<FileStatus | undefined> {
    this.#power.alive();
    const found = this.#find(path);
    if (found === undefined) return undefined;
    const type = { file: 0o100000, symlink: 0o120000, directory: 0o040000, other: 0o010000 };
    const { kind, uid, gid, mtime, content } = found;
    // Another content shows as another time of change, and after a cut the same one as the same.
    const changes = { mtime, ctime: crc32(content), inode: 1 };
    return { kind, mode: type[kind] | found.mode, uid, gid, size: content.length, ...changes };
  }

  async readFile(path: string, limit: number): Promise<Buffer | undefined> {
    this.#power.alive();
    const found = this.#find(path);
    if (found === undefined) return undefined;
    if (found.content.length > limit) {
      const details = { expected: '', found: '', where: path, remedy: '' };
      throw new PineError('CORRUPT_TOO_LARGE', 'too large', details);
    }
    return Buffer.from(found.content);
  }

  async readAt(path: string, position: number, length: number): Promise<Buffer> {
    this.#power.alive();
    return Buffer.from(this.#get(path).content.subarray(position, position + length));
  }

  async writeFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    this.#power.write(`write ${path}`, () => {
      const present = this.#find(path);
      if (present === undefined) {
        this.#add(path, newInode('file', mode, Buffer.from(bytes)));
        return;
      }
      present.content = Buffer.from(bytes);
      present.mode = mode;
    });
  }

  async appendFile(path: string, bytes: Uint8Array, mode: number): Promise<void> {
    this.#power.write(`append ${path}`, () => {
      const present = this.#find(path);
      if (present === undefined) this.#add(path, newInode('file', mode, Buffer.from(bytes)));
      else present.content = Buffer.concat([present.content, bytes]);
    });
  }

  async readFolder(path: string): Promise<string[] | undefined> {
    this.#power.alive();
    const found = this.#find(path);
    return found?.kind === 'directory' ? [...found.entries.keys()].sort() : undefined;
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    this.#power.alive();
    if (path === '/' || path === '.') return;
    const found = this.#find(path);
    if (found?.kind === 'directory') return;
    if (found !== undefined) throw new Error(`EEXIST ${path}`);
    await this.makeFolder(dirname(path), mode);
    this.#power.write(`mkdir ${path}`, () => this.#add(path, newInode('directory', mode)));
  }

  async readLink(path: string): Promise<string> {
    this.#power.alive();
    return this.#get(path).content.toString();
  }

  async makeLink(target: string, path: string): Promise<void> {
    this.#power.write(`link ${path}`, () => {
      if (this.#find(path) !== undefined) throw new Error(`EEXIST ${path}`);
      this.#add(path, newInode('symlink', 0o777, Buffer.from(target)));
    });
  }

  /** A socket or a fifo: something that no copy takes along. */
  makeSpecial(path: string): void {
    this.#add(path, newInode('other', 0o600));
  }

  async setOwner(path: string, uid: number, gid: number): Promise<void> {
    this.#power.write(`chown ${path}`, () => Object.assign(this.#get(path), { uid, gid }));
  }

  async setMode(path: string, mode: number): Promise<void> {
    this.#power.write(`chmod ${path}`, () => Object.assign(this.#get(path), { mode }));
  }

  async setTime(path: string, mtime: number): Promise<void> {
    this.#power.write(`utimes ${path}`, () => Object.assign(this.#get(path), { mtime }));
  }

  async rename(from: string, to: string): Promise<void> {
    this.#power.write(`rename ${from} ${to}`, () => {
      const moved = this.#get(from);
      const [source, target] = [this.#get(dirname(from)), this.#get(dirname(to))];
      if (this.#find(to)?.kind === 'directory') throw new Error(`ENOTEMPTY ${to}`);
      const [oldName, newName] = [nameOf(from), nameOf(to)];
      if (source === target) {
        change(source, (entries) => {
          entries.delete(oldName);
          entries.set(newName, moved);
        });
        return;
      }
      change(target, (entries) => entries.set(newName, moved));
      change(source, (entries) => entries.delete(oldName));
    });
  }

  async remove(path: string): Promise<void> {
    if (this.#find(path) === undefined) return;
    this.#power.write(`remove ${path}`, () => {
      change(this.#get(dirname(path)), (entries) => entries.delete(nameOf(path)));
    });
  }

  async sync(path: string): Promise<void> {
    this.#power.write(`sync ${path}`, () => {});
    settle(this.#get(path));
  }

  async syncAll(path: string): Promise<void> {
    this.#power.write(`syncfs ${path}`, () => {});
    visit(this.#root, settle);
  }

  async readXattrs(folder: string): Promise<ReadonlyMap<string, readonly Xattr[]>> {
    this.#power.alive();
    const found = new Map<string, readonly Xattr[]>();
    const look = (inode: Inode, path: string): void => {
      if (inode.xattrs.length > 0) found.set(path === '' ? '.' : path, inode.xattrs);
      for (const [name, entry] of inode.entries)
        look(entry, path === '' ? name : `${path}/${name}`);
    };
    look(this.#get(folder), '');
    return found;
  }

  async writeXattrs(
    folder: string,
    entries: Iterable<readonly [string, readonly Xattr[]]>,
  ): Promise<void> {
    for (const [path, xattrs] of entries) {
      const at = path === '.' ? folder : `${folder}/${path}`;
      this.#power.write(`xattrs of ${at}`, () => Object.assign(this.#get(at), { xattrs }));
    }
  }

  async freeBytes(): Promise<number> {
    return this.free;
  }

  /** Takes everything that there is now as durable: how a test begins. */
  settleAll(): void {
    visit(this.#root, settle);
  }

  /** What is under a folder, as text: how a test compares two machines. */
  describe(path: string): string[] {
    const found = this.#find(path);
    return found === undefined ? [] : list(found, path);
  }

  /** The file system as the next boot finds it. Nothing of the old one changes by what is done to it. */
  afterCut(loss: Loss, power: Power): Files {
    const root = survivor(this.#root, loss, new Map<Inode, Inode>());
    root.entries.delete('run'); // in memory
    settle(root);
    return new Files(power, root);
  }

  #find(path: string): Inode | undefined {
    let found: Inode | undefined = this.#root;
    for (const part of path.split('/').filter((name) => name !== '')) {
      found = found?.entries.get(part);
    }
    return found;
  }

  #get(path: string): Inode {
    const found = this.#find(path);
    if (found !== undefined) return found;
    throw Object.assign(new Error(`ENOENT ${path}`), { code: 'ENOENT', syscall: 'open', path });
  }

  #add(path: string, inode: Inode): void {
    change(this.#get(dirname(path)), (entries) => entries.set(nameOf(path), inode));
  }
}

function newInode(kind: Inode['kind'], mode: number, content: Buffer = Buffer.alloc(0)): Inode {
  return {
    kind,
    mode,
    xattrs: [],
    uid: 0,
    gid: 0,
    mtime: 0,
    content,
    durable: undefined,
    entries: new Map(),
    durableEntries: new Map(),
    journal: [],
  };
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function change(folder: Inode, apply: (entries: Map<string, Inode>) => void): void {
  apply(folder.entries);
  folder.journal.push(apply);
}

function settle(inode: Inode): void {
  const { content, mode, uid, gid, mtime, xattrs } = inode;
  inode.durable = { content, mode, uid, gid, mtime, xattrs };
  inode.durableEntries = new Map(inode.entries);
  inode.journal = [];
}

function visit(inode: Inode, use: (inode: Inode) => void): void {
  use(inode);
  for (const entry of inode.entries.values()) visit(entry, use);
}

function survivor(inode: Inode, loss: Loss, copies: Map<Inode, Inode>): Inode {
  const known = copies.get(inode);
  if (known !== undefined) return known;
  const copy = newInode(inode.kind, inode.mode, survivingContent(inode, loss));
  copies.set(inode, copy);
  const attributes = inode.durable === undefined || loss.keeps() ? inode : inode.durable;
  const { mode, uid, gid, mtime, xattrs } = attributes;
  Object.assign(copy, { mode, uid, gid, mtime, xattrs });
  const entries = new Map(inode.durableEntries);
  for (const apply of inode.journal.slice(0, loss.upTo(inode.journal.length))) apply(entries);
  for (const [name, entry] of entries) copy.entries.set(name, survivor(entry, loss, copies));
  settle(copy);
  return copy;
}

/** The old content, the new one, or the new one cut short: as ext4 leaves a file whose size came first. */
function survivingContent({ content, durable }: Inode, loss: Loss): Buffer {
  if (durable?.content === content) return Buffer.from(content);
  if (loss.name === 'all kept') return Buffer.from(content);
  if (!loss.keeps()) return Buffer.from(durable?.content ?? Buffer.alloc(0));
  return Buffer.from(content.subarray(0, loss.upTo(content.length)));
}

function list(inode: Inode, path: string): string[] {
  const { kind, mode, uid, gid, content, xattrs } = inode;
  const attributes = xattrs.map(
    ({ name, value }) => ` ${name}=${Buffer.from(value).toString('hex')}`,
  );
  const own = `${path} ${kind} ${mode.toString(8)} ${uid}:${gid} ${content.toString('base64')}${attributes.join('')}`;
  const names = [...inode.entries.keys()].sort();
  return [
    own,
    ...names.flatMap((name) => list(inode.entries.get(name) ?? inode, `${path}/${name}`)),
  ];
}
