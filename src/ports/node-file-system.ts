import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { promisify } from 'node:util';
import { PineError } from '../error.ts';
import type { FileStatus, FileSystem } from './file-system.ts';
import { bytesOfPath, pathFromBytes } from './path-text.ts';
import { readTreeXattrs, writeTreeXattrs } from './xattr-dump.ts';

/** The FileSystem port over this machine's own file system. Errors of the system pass through. */
export const nodeFileSystem: FileSystem = {
  async status(path) {
    const found = await orMissing(fs.lstat(native(path)));
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
    const handle = await orMissing(fs.open(native(path), 'r'));
    if (handle === undefined) return undefined;
    try {
      const bytes = await readUpTo(handle, 0, limit + 1);
      if (bytes.length > limit) throw tooLarge(path, limit);
      return bytes;
    } finally {
      await handle.close();
    }
  },

  async readAt(path, position, length) {
    const handle = await fs.open(native(path), 'r');
    try {
      return await readUpTo(handle, position, length);
    } finally {
      await handle.close();
    }
  },

  async writeFile(path, bytes, mode) {
    // A symlink that someone put at a temporary name must not lead the write elsewhere.
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
    const handle = await fs.open(native(path), flags, mode);
    try {
      await handle.writeFile(bytes);
      await handle.chmod(mode); // whatever the umask is
    } finally {
      await handle.close();
    }
  },

  async appendFile(path, bytes, mode) {
    const flags =
      constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW;
    const handle = await fs.open(native(path), flags, mode);
    try {
      await handle.writeFile(bytes);
    } finally {
      await handle.close();
    }
  },

  async readFolder(path) {
    const names = await orMissing(fs.readdir(native(path), { encoding: 'buffer' }));
    return names?.sort(Buffer.compare).map(pathFromBytes);
  },

  async makeFolder(path, mode) {
    await fs.mkdir(native(path), { recursive: true, mode });
  },

  readLink: async (path) => pathFromBytes(await fs.readlink(native(path), { encoding: 'buffer' })),
  makeLink: (target, path) => fs.symlink(native(target), native(path)),
  setOwner: (path, uid, gid) => fs.lchown(native(path), uid, gid),
  setMode: (path, mode) => fs.chmod(native(path), mode),
  setTime: (path, mtime) => fs.lutimes(native(path), mtime, mtime),
  rename: (from, to) => fs.rename(native(from), native(to)),
  remove: (path) => fs.rm(native(path), { recursive: true, force: true }),

  async sync(path) {
    const handle = await fs.open(native(path), 'r');
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
    const { bavail, bsize } = await fs.statfs(native(path));
    return bavail * bsize;
  },
};

/** A path as Node takes it: bytes where text would not do. */
function native(path: string): string | Buffer {
  return path.isWellFormed() ? path : bytesOfPath(path);
}

async function readUpTo(handle: fs.FileHandle, position: number, length: number): Promise<Buffer> {
  // `length` may be a generous bound: the buffer follows the file, not the bound (S9).
  const { size } = await handle.stat();
  const room = Math.min(length, Math.max(size - position, 4096));
  const buffer = Buffer.alloc(room);
  let done = 0;
  while (done < room) {
    const { bytesRead } = await handle.read(buffer, done, room - done, position + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return buffer.subarray(0, done);
}

async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
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
