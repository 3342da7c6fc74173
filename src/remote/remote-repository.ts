import { createHash } from 'node:crypto';
import { indexLimit } from '../delta/chain/delta-index.ts';
import { deltaIndexPath, deltaPath } from '../delta/delta-path.ts';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import type { ObjectSource } from '../plan/object-source.ts';
import type { ByteSource, ReadOptions } from '../ports/byte-source.ts';
import { isChecksum, objectPath } from '../repo/object-name.ts';
import { refPath } from '../repo/ref-name.ts';
import { largestMetadata } from '../repo/repository.ts';
import { checkConfig } from '../repo/repository-config.ts';
import { commitLimit } from '../trust/authenticate.ts';
import { CountedSource } from './counted-source.ts';
import { fileName } from './file-name.ts';
import { fileObjectLimit, readFileObject } from './file-object.ts';

const configLimit = 64 * 1024;
/** Some 100,000 refs. */
const summaryLimit = 16 * 1024 * 1024;
const refLength = 65;

/** A repository that is only read from, and that is not believed: all it gives is checked here or in trust/. */
export class RemoteRepository {
  readonly kind: 'remote' | 'bundle' = 'remote';
  readonly #source: CountedSource;
  /** File contents, by checksum: fetched, inflated and checked. */
  readonly objects: ObjectSource;

  constructor(byteSource: ByteSource) {
    const source = new CountedSource(byteSource);
    this.#source = source;
    this.objects = {
      open: (checksum, length) => {
        const path = objectPath(checksum, 'filez');
        const stream = source.open(path, { limit: fileObjectLimit(length) });
        return readFileObject(stream, { checksum, length, where: fileName(source.name, path) });
      },
    };
  }

  /** What to call it in messages. */
  get name(): string {
    return this.#source.name;
  }

  /** Bytes of all files that were read so far, as they came: compressed. */
  get received(): number {
    return this.#source.received;
  }

  /** Throws NOT_FOUND_REMOTE_REPOSITORY, or INPUT_REPOSITORY_MODE for one that is not an archive. */
  async checkMode(): Promise<void> {
    const where = fileName(this.name, 'config');
    const config = await this.#read('config', configLimit);
    if (config === undefined) {
      throw new PineError('NOT_FOUND_REMOTE_REPOSITORY', 'there is no repository there', {
        expected: 'an OSTree repository',
        found: 'no file named config',
        where: this.name,
        remedy: 'check the URL or path of the remote',
      });
    }
    checkConfig(config.toString('utf8'), where);
  }

  /** The commit that a ref names now: 64 hex digits. Throws NOT_FOUND_REMOTE_REF, CORRUPT_REF. */
  async resolveRef(ref: string): Promise<string> {
    const path = refPath(ref);
    const bytes = await this.#read(path, refLength);
    if (bytes === undefined) {
      throw new PineError('NOT_FOUND_REMOTE_REF', 'the remote does not have this ref', {
        expected: `the ref ${ref}`,
        found: 'no such file',
        where: fileName(this.name, path),
        remedy: 'check the name; `pinectl refs` lists those of a repository',
      });
    }
    const text = bytes.toString('latin1').replace(/\n$/, '');
    if (isChecksum(text)) return text;
    throw new PineError('CORRUPT_REF', 'the ref is damaged', {
      expected: '64 hex digits and a newline',
      found: JSON.stringify(text),
      where: fileName(this.name, path),
      remedy: 'commit to the ref again, or set it with `pinectl refs`',
    });
  }

  /** The bytes of a commit and its detached metadata, bounded and otherwise unchecked: trust/ does that. */
  async fetchCommit(
    checksum: string,
  ): Promise<{ commit: Uint8Array; detachedMetadata: Uint8Array | undefined }> {
    const path = objectPath(checksum, 'commit');
    const commit = await this.#read(path, commitLimit);
    if (commit === undefined) throw notFound(fileName(this.name, path), 'the commit');
    const detachedMetadata = await this.#read(objectPath(checksum, 'commitmeta'), commitLimit);
    return { commit, detachedMetadata };
  }

  /**
   * A metadata object, bounded and checked against its name. Throws NOT_FOUND_REMOTE_OBJECT,
   * CORRUPT_OBJECT.
   */
  async fetchMetadataObject(checksum: string, kind: 'dirtree' | 'dirmeta'): Promise<Buffer> {
    const path = objectPath(checksum, kind);
    const where = fileName(this.name, path);
    const bytes = await this.#read(path, largestMetadata);
    if (bytes === undefined) throw notFound(where, 'an object of the tree');
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === checksum) return bytes;
    throw new PineError('CORRUPT_OBJECT', 'an object is not what its name says', {
      expected: `SHA-256 ${checksum}`,
      found,
      where,
      remedy: 'run `pinectl fsck` on the repository it comes from',
    });
  }

  /** The bytes of a .filez from byte `from` on, as they are stored, bounded and otherwise unchecked. */
  openFileObject(checksum: string, limit: number, from = 0): AsyncIterable<Uint8Array> {
    return this.#source.open(objectPath(checksum, 'filez'), { limit, from });
  }

  /** The summary of the repository, which names its refs; `undefined` when it has none. */
  fetchSummary(): Promise<Buffer | undefined> {
    return this.#read('summary', summaryLimit);
  }

  /** The signatures of the summary, unchecked; `undefined` when it has none. */
  fetchSummarySignatures(): Promise<Buffer | undefined> {
    return this.#read('summary.sig', commitLimit);
  }

  /**
   * The bytes of a commit's full plan, for a place from where nobody reads them before the stream has
   * ended well (S5): it throws CORRUPT_PLAN at its end when they are not what `digest` says.
   */
  async *fetchPlan(checksum: string, digest: Digest): AsyncGenerator<Uint8Array> {
    const path = objectPath(checksum, 'plan');
    const where = fileName(this.name, path);
    const hash = createHash('sha256');
    let size = 0;
    for await (const piece of this.#source.open(path, { limit: digest.size })) {
      hash.update(piece);
      size += piece.length;
      yield piece;
    }
    if (size === digest.size && hash.digest('hex') === digest.sha256) return;
    throw new PineError('CORRUPT_PLAN', 'the plan is not what the commit promises', {
      expected: `${digest.size} bytes with SHA-256 ${digest.sha256}`,
      found: size === digest.size ? 'other bytes' : `${size} bytes`,
      where,
      remedy: 'make it again on the build host: `pinectl plan REF`',
    });
  }

  /** The list of deltas that lead to a commit, bounded and unchecked; `undefined` when there is none. */
  fetchDeltaIndex(commit: string): Promise<Buffer | undefined> {
    return this.#read(deltaIndexPath(commit), indexLimit);
  }

  /**
   * Streams the delta between two commits from byte `from` on, unchecked: delta/ does that. Rejects with
   * NOT_FOUND_REMOTE_FILE when there is none.
   */
  fetchDelta(
    ends: { readonly from: string; readonly to: string },
    options: ReadOptions,
  ): AsyncIterable<Uint8Array> {
    return this.#source.open(deltaPath(ends), options);
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  /** A whole small file; `undefined` when the remote does not have it. */
  async #read(path: string, limit: number): Promise<Buffer | undefined> {
    const pieces: Uint8Array[] = [];
    try {
      for await (const piece of this.#source.open(path, { limit })) pieces.push(piece);
    } catch (error) {
      if (error instanceof PineError && error.code === 'NOT_FOUND_REMOTE_FILE') return undefined;
      throw error;
    }
    return Buffer.concat(pieces);
  }
}

function notFound(where: string, what: string): PineError {
  return new PineError('NOT_FOUND_REMOTE_OBJECT', `the remote does not have ${what}`, {
    expected: what,
    found: 'no such file',
    where,
    remedy: 'the repository is incomplete: check it with `pinectl fsck`',
  });
}
