import { dirname } from 'node:path/posix';
import { replaceFile } from '../../deploy/durable-file.ts';
import type { FileStatus, FileSystem } from '../../ports/file-system.ts';

/** The most that a file of the repository may be, in bytes: isomorphic-git reads them whole (S9). */
export const gitFileLimit = 4 * 1024 * 1024;

/**
 * The FileSystem port as isomorphic-git asks for one.
 *
 * isomorphic-git writes files in place and never syncs. Here a file is written under a temporary name, synced
 * and renamed, and then its folder is synced (S6), so that it is the old or the new one at any moment (S7).
 *
 * Objects are many, and nothing depends on them before a ref does: they are not written by isomorphic-git, but wait in
 * the folder `incoming` until `settle` makes all of them durable at once and only then gives them their names.
 */
export class GitFileSystem {
  readonly promises = {
    readFile: (path: string, options?: unknown) => this.#readFile(path, options),
    writeFile: (path: string, content: string | Uint8Array) => this.#writeFile(path, content),
    mkdir: (path: string) => this.#makeFolder(path),
    readdir: (path: string) => this.#readFolder(path),
    stat: (path: string) => this.#status(path),
    lstat: (path: string) => this.#status(path),
    unlink: (path: string) => this.#files.remove(path),
    rmdir: (path: string) => this.#files.remove(path),
    readlink: (path: string) => this.#files.readLink(path),
    symlink: (target: string, path: string) => this.#files.makeLink(target, path),
  };
  readonly #files: FileSystem;
  readonly #folder: string;
  /** Objects that wait, by their final path. */
  readonly #incoming = new Map<string, string>();
  /** Objects that are there, as far as this run has looked. */
  readonly #present = new Set<string>();

  constructor(files: FileSystem, folder: string) {
    this.#files = files;
    this.#folder = folder;
  }

  /** Whether nothing was written that waits for `settle`. */
  get settled(): boolean {
    return this.#incoming.size === 0;
  }

  /** Makes all objects written so far durable under their names. */
  async settle(): Promise<void> {
    if (this.settled) return;
    await this.#files.syncAll(this.#incomingFolder); // S6: contents before names
    const folders = new Set([...this.#incoming.keys()].map((path) => dirname(path)));
    for (const path of folders) await this.#files.makeFolder(path, 0o700);
    for (const [path, waiting] of this.#incoming) await this.#files.rename(waiting, path);
    await this.#files.syncAll(this.#folder); // S6: names before a ref needs them
    this.#incoming.clear();
  }

  /** Whether an object is there by itself, in a file of its own. */
  async hasObject(id: string): Promise<boolean> {
    if (this.#present.has(id)) return true;
    if ((await this.#files.status(this.#objectPath(id))) === undefined) return false;
    this.#present.add(id);
    return true;
  }

  /** Writes an object that is not there, deflated. It can be read at once, and has its name after `settle`. */
  async addObject(id: string, bytes: Uint8Array): Promise<void> {
    if (this.settled) {
      await this.#files.remove(this.#incomingFolder); // left by a run that was cut
      await this.#files.makeFolder(this.#incomingFolder, 0o700);
    }
    const waiting = `${this.#incomingFolder}/${this.#incoming.size}`;
    await this.#files.writeFile(waiting, bytes, 0o600);
    this.#incoming.set(this.#objectPath(id), waiting);
    this.#present.add(id);
  }

  /** Removes an object that nothing needs. */
  async removeObject(id: string): Promise<void> {
    await this.#files.remove(this.#objectPath(id));
    this.#present.delete(id);
  }

  #objectPath(id: string): string {
    return `${this.#folder}/objects/${id.slice(0, 2)}/${id.slice(2)}`;
  }

  get #incomingFolder(): string {
    return `${this.#folder}/incoming`;
  }

  async #readFile(path: string, options: unknown): Promise<Buffer | string> {
    const bytes = await this.#files.readFile(this.#incoming.get(path) ?? path, gitFileLimit);
    if (bytes === undefined) throw missing(path);
    return encodingOf(options) === undefined ? bytes : bytes.toString('utf8');
  }

  async #writeFile(path: string, content: string | Uint8Array): Promise<void> {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content;
    await this.#files.makeFolder(dirname(path), 0o700);
    await replaceFile(this.#files, path, bytes, 0o600);
  }

  async #makeFolder(path: string): Promise<void> {
    await this.#files.makeFolder(path, 0o700);
  }

  async #readFolder(path: string): Promise<string[]> {
    const names = await this.#files.readFolder(path);
    if (names === undefined) throw missing(path);
    return names;
  }

  async #status(path: string) {
    const status = await this.#files.status(this.#incoming.get(path) ?? path);
    if (status === undefined) throw missing(path);
    return asStats(status);
  }
}

function asStats({ kind, mode, size, mtime, uid, gid }: FileStatus) {
  return {
    mode,
    size,
    uid,
    gid,
    mtimeMs: mtime * 1000,
    isFile: () => kind === 'file',
    isDirectory: () => kind === 'directory',
    isSymbolicLink: () => kind === 'symlink',
  };
}

function encodingOf(options: unknown): string | undefined {
  if (typeof options === 'string') return options;
  return (options as { encoding?: string } | undefined)?.encoding;
}

function missing(path: string): Error {
  return Object.assign(new Error(`ENOENT: no such file: ${path}`), { code: 'ENOENT', path });
}
