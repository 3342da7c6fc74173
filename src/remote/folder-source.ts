import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { PineError } from '../error.ts';
import type { ByteSource, ReadOptions } from '../ports/byte-source.ts';
import { splitPath } from './file-name.ts';

const pieceLength = 64 * 1024;

/** Reads a repository that lies in a folder: a mounted disk, a memory stick, the build host's own. */
export class FolderSource implements ByteSource {
  readonly name: string;

  /** `folder` is an absolute path. */
  constructor(folder: string) {
    this.name = folder;
  }

  async *open(path: string, options: ReadOptions): AsyncGenerator<Uint8Array> {
    const where = join(this.name, ...splitPath(path, this.name));
    const file = await openFile(where);
    try {
      const status = await file.stat();
      if (!status.isFile()) throw notFound(where, 'something that is not a file');
      // S5: before a byte is read.
      if (status.size > options.limit) throw tooLarge(where, options.limit, `${status.size}`);
      options.onSize?.(status.size);
      let position = options.from ?? 0;
      if (position > status.size) throw changed(where, position, status.size);
      for (;;) {
        const buffer = Buffer.allocUnsafe(Math.min(pieceLength, options.limit - position + 1));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) break;
        position += bytesRead;
        if (position > options.limit) throw tooLarge(where, options.limit, 'more');
        yield buffer.subarray(0, bytesRead);
      }
      if (position < status.size) throw changed(where, status.size, position);
    } finally {
      await file.close();
    }
  }

  async close(): Promise<void> {}
}

async function openFile(where: string): Promise<FileHandle> {
  try {
    // Without O_NONBLOCK a fifo of this name would make us wait for ever.
    return await open(where, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code = 'unknown', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw notFound(where, 'nothing of that name');
    throw new PineError(`IO_${code.toUpperCase()}` as `IO_${Uppercase<string>}`, message, {
      expected: 'a file that may be read',
      found: message,
      where,
      remedy: 'check the path and the rights of the file',
      cause: error,
    });
  }
}

function notFound(where: string, found: string): PineError {
  return new PineError('NOT_FOUND_REMOTE_FILE', 'the remote does not have this file', {
    expected: 'a file',
    found,
    where,
    remedy: 'check the path and the ref; the repository may be incomplete (`pinectl fsck`)',
  });
}

function tooLarge(where: string, limit: number, found: string): PineError {
  return new PineError('CORRUPT_TOO_LARGE', 'the file is larger than it can be', {
    expected: `at most ${limit} bytes`,
    found: `${found} bytes`,
    where,
    remedy: 'check the repository with `pinectl fsck`, and that the path is right',
  });
}

function changed(where: string, expected: number, found: number): PineError {
  return new PineError('REMOTE_CHANGED', 'the file changed while it was read', {
    expected: `at least ${expected} bytes`,
    found: `${found} bytes`,
    where,
    remedy: 'run the command again',
  });
}
