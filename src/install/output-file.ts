import { open, rename, rm, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { emptyFile } from '../disk/empty-file.ts';
import { PineError } from '../error.ts';

/**
 * Makes a file of `size` bytes under a temporary name, lets `fill` write it, and gives it its own name
 * when everything is on stable storage. Nothing is left behind when that fails.
 *
 * `needed` is how many bytes will really be written (the rest stays a hole): SPACE_OUTPUT when the
 * file system has no room for them. Throws INPUT_OUTPUT_FILE for a name that is not a file's, NOT_FOUND_FOLDER.
 */
export async function writeOutputFile(
  path: string,
  { size, needed }: { readonly size: number; readonly needed: number },
  fill: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  await checkOutput(path, needed);
  const temporary = `${path}.${process.pid}.part`;
  try {
    await emptyFile(temporary, size);
    await fill(temporary);
    await sync(temporary); // S6: whole before it has its name
    await rename(temporary, path);
    await sync(dirname(path));
  } finally {
    await rm(temporary, { force: true });
  }
}

async function checkOutput(path: string, needed: number): Promise<void> {
  const present = await stat(path).catch(() => undefined);
  if (present !== undefined && !present.isFile()) {
    throw new PineError('INPUT_OUTPUT_FILE', 'the output must be a file', {
      expected: 'a new name, or a regular file to replace',
      found: present.isDirectory() ? 'a folder' : 'a device or something else',
      where: path,
      remedy: 'give another name with -o; write the file to a disk with dd',
    });
  }
  const folder = await stat(dirname(path)).catch(() => undefined);
  if (!folder?.isDirectory()) {
    throw new PineError('NOT_FOUND_FOLDER', 'there is no folder for the output', {
      expected: 'a folder',
      found: folder === undefined ? 'nothing' : 'a file',
      where: dirname(path),
      remedy: 'make it, or give another name with -o',
    });
  }
  const { bavail, bsize } = await statfs(dirname(path)); // S10
  if (bavail * bsize < needed) {
    throw new PineError('SPACE_OUTPUT', 'there is no room for the output', {
      expected: `${needed} bytes`,
      found: `${bavail * bsize} bytes: ${needed - bavail * bsize} too few`,
      where: dirname(path),
      remedy: 'free some space, or give a name on another file system with -o',
    });
  }
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
