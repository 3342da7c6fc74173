import { stat } from 'node:fs/promises';
import { PineError } from '../error.ts';
import { nodeFileSystem } from '../ports/node-file-system.ts';

/** Whether a path leads to a folder; `undefined` when it leads nowhere. Links are followed. */
export async function isFolder(path: string): Promise<boolean | undefined> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  });
  return status?.isDirectory();
}

/** Sees that there is a file, or a device, before it is opened. Throws NOT_FOUND_FILE; `expected` says what it is. */
export async function requireFile(path: string, expected: string, remedy: string): Promise<void> {
  const folder = await isFolder(path);
  if (folder === false) return;
  throw notFound(path, expected, folder ? 'a folder' : 'nothing', remedy);
}

/** Reads a small file whole. Throws NOT_FOUND_FILE. */
export async function readText(path: string, limit: number, expected = 'a file'): Promise<string> {
  await requireFile(path, expected, 'check the path');
  return (await nodeFileSystem.readFile(path, limit))?.toString() ?? '';
}

function notFound(where: string, expected: string, found: string, remedy: string): PineError {
  return new PineError('NOT_FOUND_FILE', 'there is no such file', {
    expected,
    found,
    where,
    remedy,
  });
}
