import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { PineError } from '../error.ts';

/** Whether a path leads to a folder; `undefined` when it leads nowhere. Links are followed. */
export async function isFolder(path: string): Promise<boolean | undefined> {
  return (await statusOf(path))?.isDirectory();
}

/**
 * Sees that there is a file, or a block device, before it is opened: reading of anything else could wait for ever. Throws
 * NOT_FOUND_FILE; `expected` says what it is.
 */
export async function requireFile(path: string, expected: string, remedy: string): Promise<void> {
  const status = await statusOf(path);
  if (status?.isFile() || status?.isBlockDevice()) return;
  throw notFound(path, expected, kindOf(status), remedy);
}

/**
 * Reads a small file whole, or what a pipe gives: a key may come out of a program. Throws NOT_FOUND_FILE, CORRUPT_TOO_LARGE
 * for more than `limit` bytes.
 */
export async function readText(path: string, limit: number, expected = 'a file'): Promise<string> {
  const status = await statusOf(path);
  if (status === undefined || status.isDirectory()) {
    throw notFound(path, expected, kindOf(status), 'check the path');
  }
  const pieces: Buffer[] = [];
  // One byte more than may be there
  for await (const piece of createReadStream(path, { end: limit })) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (bytes.length <= limit) return bytes.toString();
  throw new PineError('CORRUPT_TOO_LARGE', 'a file is larger than such a file may be', {
    expected: `${expected}, of at most ${limit} bytes`,
    found: 'more',
    where: path,
    remedy: 'check the path: this seems to be another file',
  });
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function kindOf(status: Stats | undefined): string {
  if (status === undefined) return 'nothing';
  if (status.isDirectory()) return 'a folder';
  return status.isFIFO()
    ? 'a pipe, which has no positions'
    : 'a device without blocks, or a socket';
}

function notFound(where: string, expected: string, found: string, remedy: string): PineError {
  return new PineError('NOT_FOUND_FILE', 'there is no such file', {
    expected,
    found,
    where,
    remedy,
  });
}
