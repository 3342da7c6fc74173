import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { lockForWriting, type WriterLock } from './lock.ts';
import { type MetadataKind, type ObjectKind, objectPath } from './object-name.ts';
import { writeRef } from './refs.ts';
import type { Repository } from './repository.ts';
import { emptyTemporary } from './temporary.ts';

/** Kinds that make a commit known. They get their names after all that they need (S6). */
const announcing: readonly string[] = ['plan', 'commitmeta', 'commit'];

/**
 * New objects and refs that come into a repository together or not at all.
 *
 * Objects are written into a folder of tmp/; `commit` makes them durable, gives them their names,
 * and moves the refs last. What is killed before leaves only files in tmp/, and the next
 * transaction removes them (S7).
 */
export class Transaction {
  readonly repository: Repository;
  readonly #lock: WriterLock;
  readonly #folder: string;
  readonly #staged = new Map<string, ObjectKind>();
  readonly #refs = new Map<string, string>();

  private constructor(repository: Repository, lock: WriterLock, folder: string) {
    this.repository = repository;
    this.#lock = lock;
    this.#folder = folder;
  }

  /** Throws STATE_LOCKED when another process writes, and goes on for longer than the repository's config lets one wait. */
  static async begin(repository: Repository): Promise<Transaction> {
    const lock = await lockForWriting(repository);
    try {
      const temporary = await emptyTemporary(repository);
      const folder = join(temporary, `pine-${randomBytes(6).toString('hex')}`);
      await mkdir(folder);
      return new Transaction(repository, lock, folder);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** Whether an object is in the repository, or will be with this transaction. */
  has(checksum: string, kind: ObjectKind): boolean {
    return this.#staged.has(`${checksum}.${kind}`) || this.repository.has(checksum, kind);
  }

  /** The path to write a new object's file to, exclusively; `undefined` when the object is there. */
  claim(checksum: string, kind: ObjectKind): string | undefined {
    return this.has(checksum, kind) ? undefined : this.claimAnyway(checksum, kind);
  }

  /** The same without looking: for an object that is known to be missing, or takes the place of the one that is there. */
  claimAnyway(checksum: string, kind: ObjectKind): string {
    this.#staged.set(`${checksum}.${kind}`, kind);
    return join(this.#folder, `${checksum}.${kind}`);
  }

  /** Adds a metadata object under its checksum; says whether it is new. */
  addMetadataObject(bytes: Uint8Array, kind: MetadataKind, checksum: string): boolean {
    const path = this.claim(checksum, kind);
    if (path !== undefined) writeFileSync(path, bytes, { flag: 'wx' });
    return path !== undefined;
  }

  /** Adds or replaces what lies beside a commit and has no checksum as its name. */
  addBeside(checksum: string, kind: 'commitmeta' | 'plan', pieces: Iterable<Uint8Array>): void {
    const path = join(this.#folder, `${checksum}.${kind}`);
    this.#staged.set(`${checksum}.${kind}`, kind);
    writeFileSync(path, '');
    for (const piece of pieces) appendFileSync(path, piece);
  }

  /** The ref moves when everything else is in its place. */
  setRef(ref: string, checksum: string): void {
    this.#refs.set(ref, checksum);
  }

  /** Makes the objects so far durable and visible, in that order. No ref moves. */
  async publish(): Promise<void> {
    const names = [...this.#staged];
    // S6: contents are on stable storage before any of them gets its name.
    if (names.length > 0) await this.repository.durability.syncAll(this.#folder);
    await this.#publish(names.filter(([, kind]) => !announcing.includes(kind)));
    for (const kind of announcing) {
      await this.#publish(names.filter(([, other]) => other === kind));
    }
    this.#staged.clear();
  }

  /** Makes everything durable and visible, in that order. */
  async commit(): Promise<void> {
    const { path, durability } = this.repository;
    await this.publish();
    // S6: a ref names a commit only when every object's name is durable.
    for (const [ref, checksum] of this.#refs) await writeRef(this.repository, ref, checksum);
    await durability.sync(join(path, 'tmp'));
    await this.close();
  }

  /** Ends the transaction; what was not committed is gone. May be called again. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await this.#lock.release();
  }

  async #publish(names: readonly (readonly [string, ObjectKind])[]): Promise<void> {
    const folders = new Set<string>();
    for (const [name, kind] of names) {
      const target = join(this.repository.path, objectPath(name.slice(0, 64), kind));
      if (!folders.has(dirname(target))) mkdirSync(dirname(target), { recursive: true });
      folders.add(dirname(target));
      renameSync(join(this.#folder, name), target);
    }
    if (names.length === 0) return;
    for (const folder of folders) await this.repository.durability.sync(folder);
    await this.repository.durability.sync(join(this.repository.path, 'objects'));
  }
}
