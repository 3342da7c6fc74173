import type { FileSystem } from '../../ports/file-system.ts';
import type { Xattr } from '../../ports/xattr-dump.ts';
import type { Placed } from '../merge/decision.ts';
import type { EtcSink } from '../merge/merge-etc.ts';
import type { Sides } from './join.ts';

/**
 * Writes a merged tree into a folder that is not there yet. Nothing is durable before the caller syncs it.
 * `finish` sets what would be in the way before: modes of folders, extended attributes.
 */
export class FolderSink implements EtcSink {
  readonly #files: FileSystem;
  readonly #root: string;
  readonly #folders: Placed[] = [];
  readonly #xattrs: (readonly [path: string, xattrs: readonly Xattr[]])[] = [];

  constructor(files: FileSystem, root: string) {
    this.#files = files;
    this.#root = root;
  }

  async place(placed: Placed, sides: Sides): Promise<void> {
    const { path, uid, gid } = placed;
    const target = this.#place(path);
    switch (placed.kind) {
      case 'directory':
        await this.#files.makeFolder(target, 0o700);
        this.#folders.push(placed);
        break;
      case 'symlink':
        await this.#files.makeLink(placed.target, target);
        await this.#files.setOwner(target, uid, gid);
        await this.#files.setTime(target, placed.mtime);
        break;
      case 'file':
        await this.#writeContent(target, placed, sides).catch(async (error) => {
          await this.#files.remove(target); // a half of a file that went meanwhile
          throw error;
        });
        await this.#keepStatus(target, placed);
        await this.#files.setTime(target, placed.mtime);
    }
    if (placed.xattrs.length > 0) this.#xattrs.push([path === '' ? '.' : path, placed.xattrs]);
  }

  /** Folders last, from the deepest: what is made in one would change it. Attributes after owners, which drop some. */
  async finish(): Promise<void> {
    for (const folder of this.#folders.reverse())
      await this.#keepStatus(this.#place(folder.path), folder);
    if (this.#xattrs.length > 0) await this.#files.writeXattrs(this.#root, this.#xattrs);
  }

  async #writeContent(
    target: string,
    { content }: Extract<Placed, { kind: 'file' }>,
    sides: Sides,
  ): Promise<void> {
    // Secrets (shadow, host keys) must not be readable by others while they are copied.
    if (content.from === 'both') {
      await this.#files.writeFile(target, content.bytes, 0o600);
      return;
    }
    await this.#files.writeFile(target, new Uint8Array(), 0o600);
    for await (const piece of sides[content.from].read(content.file)) {
      await this.#files.appendFile(target, piece, 0o600);
    }
  }

  /** The owner first: changing it clears the set-user-id bit. */
  async #keepStatus(target: string, { mode, uid, gid }: Placed): Promise<void> {
    await this.#files.setOwner(target, uid, gid);
    await this.#files.setMode(target, mode);
  }

  #place(path: string): string {
    return path === '' ? this.#root : `${this.#root}/${path}`;
  }
}
