import { PineError } from '../error.ts';
import { decodeFileHeader, headerLength, headerPrefix, isLinkHeader } from '../repo/file-header.ts';
import { decodeDirectoryTree } from '../repo/metadata-objects.ts';
import { longestHeader } from './file-object.ts';
import { PrefixReader } from './prefix-reader.ts';
import type { RemoteRepository } from './remote-repository.ts';

/** Compressed bytes of the largest file that is looked into. */
const largestFile = 256 << 20;

/** The tree of a commit in a remote repository, of which only what is asked for is fetched. */
export class RemoteTree {
  readonly #remote: RemoteRepository;
  readonly #root: string;

  /** `root` is the checksum of the commit's root dirtree; the commit must be authentic (S5). */
  constructor(remote: RemoteRepository, root: string) {
    this.#remote = remote;
    this.#root = root;
  }

  /** Names in a folder; `undefined` when it is not there. */
  async list(path: string): Promise<string[] | undefined> {
    const folder = await this.#folder(path);
    return folder && [...folder.directories, ...folder.files].map(({ name }) => name).sort();
  }

  /**
   * A file's content as a stream, checked against its checksum by its end; `undefined` when it is not
   * there. Links are not followed. Throws CORRUPT_TOO_LARGE for more than `limit` bytes.
   */
  async open(path: string, limit: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    const cut = path.lastIndexOf('/');
    const folder = await this.#folder(path.slice(0, cut));
    const file = folder?.files.find(({ name }) => name === path.slice(cut + 1));
    if (file === undefined) return undefined;
    const size = await this.#size(file.checksum);
    if (size === undefined) return undefined;
    if (size <= limit) return this.#remote.objects.open(file.checksum, size);
    throw new PineError('CORRUPT_TOO_LARGE', 'a file of the commit is larger than it may be', {
      expected: `at most ${limit} bytes`,
      found: `${size} bytes`,
      where: `${this.#remote.name}: ${path}`,
      remedy: 'look at the tree that was committed',
    });
  }

  async #folder(path: string) {
    let checksum = this.#root;
    for (let names = path.split('/').filter((name) => name !== ''); ; ) {
      const bytes = await this.#remote.fetchMetadataObject(checksum, 'dirtree');
      const tree = decodeDirectoryTree(bytes, `${this.#remote.name}: ${checksum}.dirtree`);
      const [next, ...rest] = names;
      if (next === undefined) return tree;
      const found = tree.directories.find(({ name }) => name === next);
      if (found === undefined) return undefined;
      checksum = found.tree;
      names = rest;
    }
  }

  /** Bytes of a file by its header, which is not yet checked; `undefined` for a link. */
  async #size(checksum: string): Promise<number | undefined> {
    const input = new PrefixReader(this.#remote.openFileObject(checksum, largestFile));
    const where = `${this.#remote.name}: ${checksum}.filez`;
    try {
      const length = headerLength(await input.take(headerPrefix), where);
      const header = decodeFileHeader(await input.take(Math.min(length, longestHeader)), where);
      return isLinkHeader(header) ? undefined : header.size;
    } finally {
      await input.close();
    }
  }
}
