import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { PineError } from '../error.ts';
import type { SourceContent } from './source-node.ts';

const pieceSize = 256 * 1024;
/** What tells whether a file is still the one that was scanned. */
const keys = ['dev', 'ino', 'mode', 'size', 'mtimeNs', 'ctimeNs'] as const;

/**
 * The content of a file on disk, which must stay what it was when the tree was scanned. Reading ends
 * in INPUT_FILE_CHANGED when it did not, in INPUT_FILE_UNREADABLE when it can't be read.
 */
export function fileContent(path: string, status: BigIntStats): SourceContent {
  // A tenth of the memory that the status itself takes.
  const scanned = keys.map((key) => status[key]).join();
  const size = Number(status.size);
  return {
    size,
    async *open(room) {
      const descriptor = openFile(path);
      try {
        checkUnchanged(path, scanned, descriptor);
        let left = size;
        while (left > 0) {
          const given = await room?.();
          const piece = (given ?? Buffer.allocUnsafe(pieceSize)).subarray(0, left);
          const length = read(path, descriptor, piece);
          if (length === 0) break;
          left -= length;
          yield piece.subarray(0, length);
        }
        // What was written meanwhile shows in size and times, also when it had been read before.
        checkUnchanged(path, scanned, descriptor);
      } finally {
        closeSync(descriptor);
      }
    },
  };
}

function openFile(path: string): number {
  try {
    // A file that became a link or a fifo is neither followed nor waited for.
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ELOOP') throw changed(path, 'it is gone or became a link');
    throw unreadable(path, message);
  }
}

function read(path: string, descriptor: number, piece: Buffer): number {
  try {
    return readSync(descriptor, piece, 0, piece.length, null);
  } catch (error) {
    throw unreadable(path, (error as Error).message);
  }
}

function checkUnchanged(path: string, scanned: string, descriptor: number): void {
  const status = fstatSync(descriptor, { bigint: true });
  const now = keys.map((key) => status[key]);
  if (now.join() === scanned) return;
  const before = scanned.split(',');
  const different = keys.findIndex((_, index) => `${now[index]}` !== before[index]);
  const key = keys[different]?.replace('Ns', '');
  throw changed(path, `${key} was ${before[different]}, is ${now[different]}`);
}

/** Something of the tree is no longer what the scan saw. */
export function changed(path: string, found: string): PineError {
  return new PineError('INPUT_FILE_CHANGED', 'a file changed while it was committed', {
    expected: 'a tree that nobody writes to',
    found,
    where: path,
    remedy: 'stop what writes to the tree (or commit a snapshot of it), then commit again',
  });
}

/** Something of the tree can't be read. */
export function unreadable(path: string, found: string): PineError {
  return new PineError('INPUT_FILE_UNREADABLE', 'a file of the tree cannot be read', {
    expected: 'to be allowed to read it',
    found,
    where: path,
    remedy: 'run pinectl as the user that owns the tree, or as root',
  });
}
