import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../error.ts';
import type { FileSystem } from '../ports/file-system.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';
import { type Commit, decodeCommit } from './commit-object.ts';
import { decodeDetachedMetadata } from './detached-metadata.ts';
import type { Dictionary } from './gvariant/variant.ts';
import { isChecksum, type MetadataKind, type ObjectKind, objectPath } from './object-name.ts';
import { checkConfig, initialConfig, type RepositoryConfig } from './repository-config.ts';

/** OSTree's own bound for a metadata object. */
export const largestMetadata = 128 * 1024 * 1024;

const folders = [
  'extensions',
  'objects',
  'refs/heads',
  'refs/mirrors',
  'refs/remotes',
  'state',
  'tmp',
];

/** What makes writes durable; tests put one that records in its place (S6). */
export type Durability = Pick<FileSystem, 'sync' | 'syncAll'>;

/** An OSTree repository in archive mode, as a folder: names of objects, and objects that are checked. */
export class Repository {
  readonly path: string;
  readonly durability: Durability;
  readonly config: RepositoryConfig;
  /** Told once when another writer is waited for: which one, and for how many seconds at most. */
  onWait: ((holder: string, seconds: number) => void) | undefined;

  private constructor(path: string, durability: Durability, config: RepositoryConfig) {
    this.path = path;
    this.durability = durability;
    this.config = config;
  }

  /** Makes a repository, or does nothing when there is one. Throws as `open`, and STATE_FOLDER_IN_USE. */
  static async init(path: string, durability: Durability = nodeFileSystem): Promise<Repository> {
    if (existsSync(join(path, 'config'))) return Repository.open(path, durability);
    await mkdir(path, { recursive: true });
    const present = (await readdir(path)).filter(
      (name) => !folders.some((f) => f.startsWith(name)),
    );
    if (present.length > 0) {
      throw new PineError('STATE_FOLDER_IN_USE', 'a repository is made in a folder of its own', {
        expected: 'an empty or new folder',
        found: `${present.length} other names, such as ${present[0]}`,
        where: path,
        remedy: 'give another path',
      });
    }
    for (const folder of folders) await mkdir(join(path, folder), { recursive: true });
    // The config comes last: a folder without one is no repository, and init can be run again (S7).
    await writeFile(join(path, 'tmp', 'config'), initialConfig);
    await durability.sync(join(path, 'tmp', 'config'));
    await nodeFileSystem.rename(join(path, 'tmp', 'config'), join(path, 'config'));
    for (const folder of ['refs', '.', '..']) await durability.sync(join(path, folder));
    return Repository.open(path, durability);
  }

  /** Throws NOT_FOUND_REPOSITORY, INPUT_REPOSITORY_MODE, INPUT_REPOSITORY_VERSION. */
  static async open(path: string, durability: Durability = nodeFileSystem): Promise<Repository> {
    const config = join(path, 'config');
    const text = await nodeFileSystem.readFile(config, 1024 * 1024);
    if (text === undefined || !existsSync(join(path, 'objects'))) {
      throw new PineError('NOT_FOUND_REPOSITORY', 'there is no repository', {
        expected: 'a folder with `config` and `objects`',
        found: text === undefined ? 'no file `config`' : 'no folder `objects`',
        where: path,
        remedy: `make one with \`pinectl init --repo ${path}\`, or give another --repo (or PINE_REPO)`,
      });
    }
    return new Repository(path, durability, checkConfig(text.toString(), config));
  }

  /** The path of an object's file, whether it is there or not. */
  objectFile(checksum: string, kind: ObjectKind): string {
    return join(this.path, objectPath(checksum, kind));
  }

  has(checksum: string, kind: ObjectKind): boolean {
    return existsSync(this.objectFile(checksum, kind));
  }

  /** The bytes of a metadata object, bounded and checked. Throws NOT_FOUND_OBJECT, CORRUPT_OBJECT. */
  async readMetadataObject(checksum: string, kind: MetadataKind): Promise<Buffer> {
    const path = this.objectFile(checksum, kind);
    const bytes = await nodeFileSystem.readFile(path, largestMetadata);
    if (bytes === undefined) throw missingObject(path);
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === checksum) return bytes;
    throw new PineError('CORRUPT_OBJECT', 'an object is not what its name says', {
      expected: `SHA-256 ${checksum}`,
      found,
      where: path,
      remedy: 'commit the tree again or fetch the object; `pinectl fsck` lists all damaged objects',
    });
  }

  async readCommit(checksum: string): Promise<Commit> {
    const bytes = await this.readMetadataObject(checksum, 'commit');
    return decodeCommit(bytes, this.objectFile(checksum, 'commit'));
  }

  /** A commit's detached metadata; empty when it has none. Not checked by any checksum. */
  async readDetachedMetadata(checksum: string): Promise<Dictionary> {
    const path = this.objectFile(checksum, 'commitmeta');
    const bytes = await nodeFileSystem.readFile(path, largestMetadata);
    return bytes === undefined ? [] : decodeDetachedMetadata(bytes, path);
  }

  /** Every object in the repository, in no order. Names that are no objects are passed over. */
  async *listObjects(): AsyncGenerator<{ readonly checksum: string; readonly kind: ObjectKind }> {
    for (const prefix of await readdir(join(this.path, 'objects'))) {
      if (!/^[0-9a-f]{2}$/.test(prefix)) continue;
      for (const name of await readdir(join(this.path, 'objects', prefix))) {
        const [rest = '', kind = ''] = name.split('.');
        const known = /^(commit|dirtree|dirmeta|filez|commitmeta|plan)$/.test(kind);
        if (!known || !isChecksum(prefix + rest)) continue;
        yield { checksum: prefix + rest, kind: kind as ObjectKind };
      }
    }
  }
}

/** The error for an object that is not there. */
export function missingObject(path: string): PineError {
  return new PineError('NOT_FOUND_OBJECT', 'the repository lacks an object', {
    expected: 'a file',
    found: 'nothing',
    where: path,
    remedy: 'commit the tree again, or pull the commit from where it is whole',
  });
}
