import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { PineError } from '../error.ts';
import type { FileStatus, FileSystem } from './file-system.ts';
import { bytesOfPath, pathFromBytes } from './path-text.ts';
import { readTreeXattrs, writeTreeXattrs } from './xattr-dump.ts';

/**
 * The FileSystem port over this machine's own file system. Errors of the system pass through.
 *
 * What takes microseconds is called synchronously: /etc is hundreds of small files, and with Node's threads each call
 * costs ten times as much. What waits for a disk is not.
 */
export const nodeFileSystem: FileSystem = {
  async status(path) {
    const found = orMissing(() => fs.lstatSync(native(path), { throwIfNoEntry: false }));
    if (found === undefined) return undefined;
    const kind: FileStatus['kind'] = found.isFile()
      ? 'file'
      : found.isDirectory()
        ? 'directory'
        : found.isSymbolicLink()
          ? 'symlink'
          : 'other';
    const { mode, uid, gid, size, ctimeMs: ctime, ino: inode } = found;
    return { kind, mode, uid, gid, size, mtime: Math.floor(found.mtimeMs / 1000), ctime, inode };
  },

  async readFile(path, limit) {
    const file = orMissing(() => fs.openSync(native(path), 'r'));
    if (file === undefined) return undefined;
    try {
      const bytes = readUpTo(file, 0, limit + 1);
      if (bytes.length > limit) throw tooLarge(path, limit);
      return bytes;
    } finally {
      fs.closeSync(file);
    }
  },

  async readAt(path, position, length, into) {
    const file = fs.openSync(native(path), 'r');
    try {
      return readUpTo(file, position, length, into);
    } finally {
      fs.closeSync(file);
    }
  },

  async writeFile(path, bytes, mode) {
    // A symlink that someone put at a temporary name must not lead the write elsewhere.
    const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;
    const flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW;
    const file = fs.openSync(native(path), flags, mode);
    try {
      fs.writeFileSync(file, bytes);
      fs.fchmodSync(file, mode); // whatever the umask is
    } finally {
      fs.closeSync(file);
    }
  },

  async appendFile(path, bytes, mode) {
    const { O_WRONLY, O_CREAT, O_APPEND, O_NOFOLLOW } = fs.constants;
    const file = fs.openSync(native(path), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode);
    try {
      fs.writeFileSync(file, bytes);
    } finally {
      fs.closeSync(file);
    }
  },

  async readFolder(path) {
    const names = orMissing(() => fs.readdirSync(native(path), { encoding: 'buffer' }));
    return names?.sort(Buffer.compare).map(pathFromBytes);
  },

  async makeFolder(path, mode) {
    fs.mkdirSync(native(path), { recursive: true, mode });
  },

  readLink: async (path) => pathFromBytes(fs.readlinkSync(native(path), { encoding: 'buffer' })),
  makeLink: async (target, path) => fs.symlinkSync(native(target), native(path)),
  setOwner: async (path, uid, gid) => fs.lchownSync(native(path), uid, gid),
  setMode: async (path, mode) => fs.chmodSync(native(path), mode),
  setTime: async (path, mtime) => fs.lutimesSync(native(path), mtime, mtime),
  rename: async (from, to) => fs.renameSync(native(from), native(to)),
  remove: async (path) => fs.rmSync(native(path), { recursive: true, force: true }),

  async sync(path) {
    const handle = await open(native(path), 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },

  async syncAll(path) {
    // Node has no syncfs; coreutils and busybox have it as `sync -f`.
    try {
      await promisify(execFile)('sync', ['-f', path]);
    } catch (cause) {
      throw new PineError('IO_SYNC', 'what was written could not be made durable', {
        expected: '`sync -f` to succeed',
        found: cause instanceof Error ? cause.message.trim() : String(cause),
        where: path,
        remedy: 'check the disk (dmesg) and that coreutils or busybox `sync` is installed',
        cause,
      });
    }
  },

  async readXattrs(folder) {
    try {
      return await readTreeXattrs(folder);
    } catch (error) {
      if (error instanceof PineError && error.code === 'PROGRAM_MISSING') return undefined;
      throw error;
    }
  },

  writeXattrs: writeTreeXattrs,

  async freeBytes(path) {
    const { bavail, bsize } = fs.statfsSync(native(path));
    return bavail * bsize;
  },
};

/** A path as Node takes it: bytes where text would not do. */
function native(path: string): string | Buffer {
  return path.isWellFormed() ? path : bytesOfPath(path);
}

function readUpTo(file: number, position: number, length: number, into?: Buffer): Buffer {
  // `length` may be a generous bound: the buffer follows the file, not the bound (S9).
  const { size } = fs.fstatSync(file);
  const room = Math.min(length, Math.max(size - position, 4096));
  const buffer = into?.subarray(0, room) ?? Buffer.alloc(room);
  let done = 0;
  while (done < room) {
    const count = fs.readSync(file, buffer, done, room - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return buffer.subarray(0, done);
}

function orMissing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function tooLarge(path: string, limit: number): PineError {
  return new PineError('CORRUPT_TOO_LARGE', 'a file is larger than such a file may be', {
    expected: `at most ${limit} bytes`,
    found: 'more',
    where: path,
    remedy: 'look at the file; if it is not what its name says, remove it',
  });
}
