import { writeFileSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { PineError } from '../error.ts';
import {
  encodeFileHeader,
  type FileHeader,
  fileObjectHash,
  fileObjectPrefix,
} from './file-header.ts';
import { Contents } from './threads/contents.ts';
import { deflateStream } from './threads/deflate-stream.ts';
import type { Readable } from './threads/slot-filler.ts';
import type { Threads } from './threads/threads.ts';

/** A .filez to be written, not durably, to a new file at `path`. */
export interface NewFileObject {
  readonly path: string;
  readonly checksum: string;
  readonly header: FileHeader;
  readonly content: Readable;
}

/**
 * Writes file objects, deflated on threads. Each content is hashed again: what is stored is always what
 * its name says. Throws INPUT_FILE_CHANGED when a checksum is another one.
 */
export class FileObjectWriter {
  readonly #threads: Threads;
  readonly #small: Contents;

  constructor(threads: Threads) {
    this.#threads = threads;
    this.#small = new Contents(threads);
  }

  /** Hands an object over; `done` is called when it is written. */
  async add(object: NewFileObject, done: () => void): Promise<void> {
    const { path, checksum, header, content } = object;
    if (!Contents.fits(header.size)) {
      await this.#writeLarge(object);
      return done();
    }
    await this.#small.add(content, header.size, {
      prefix: fileObjectPrefix(header),
      store: { path, start: encodeFileHeader(header), checksum },
      done(digest) {
        checkContent(digest, checksum, path);
        done();
      },
    });
  }

  /** Waits until all are written. */
  async finish(): Promise<void> {
    await this.#small.finish();
  }

  async #writeLarge({ path, checksum, header, content }: NewFileObject): Promise<void> {
    const hash = fileObjectHash(header);
    const file = await open(path, 'wx');
    try {
      writeFully(file.fd, encodeFileHeader(header));
      await deflateStream(
        this.#threads,
        content,
        (piece) => hash.update(piece),
        (deflated) => writeFully(file.fd, deflated),
      );
    } finally {
      await file.close();
    }
    checkContent(hash.digest('hex'), checksum, path);
  }
}

/** Writes the .filez of a symbolic link: a header and nothing else. */
export function writeLinkObject(path: string, header: FileHeader): void {
  writeFileSync(path, encodeFileHeader(header), { flag: 'wx' });
}

/** Throws INPUT_FILE_CHANGED when a content is not the one that was hashed before. */
export function checkContent(found: string, expected: string, where: string): void {
  if (found === expected) return;
  throw new PineError('INPUT_FILE_CHANGED', 'a file changed while it was committed', {
    expected: `content with the object checksum ${expected}`,
    found,
    where,
    remedy: 'stop what writes to the tree (or commit a snapshot of it), then commit again',
  });
}

function writeFully(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
