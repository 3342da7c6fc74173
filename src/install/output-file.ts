import { open, readlink, realpath, rename, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { emptyFile } from '../disk/empty-file.ts';
import { withTemporaryPaths } from '../disk/temporary-paths.ts';
import { PineError } from '../error.ts';

/**
 * Makes a file of `size` bytes under a temporary name, lets `fill` write it, and gives it its own name
 * when everything is on stable storage. Nothing is left behind when that fails, or is interrupted. Of a link, the file that it
 * leads to is replaced.
 *
 * `needed` is how many bytes will really be written (the rest stays a hole): SPACE_OUTPUT when the
 * file system has no room for them. Throws INPUT_OUTPUT_FILE for a name that is not a file's, NOT_FOUND_FOLDER.
 */
export async function writeOutputFile(
  path: string,
  { size, needed }: { readonly size: number; readonly needed: number },
  fill: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const output = await checkOutput(path, needed);
  const temporary = `${output}.${process.pid}.part`;
  await withTemporaryPaths([temporary], async () => {
    await emptyFile(temporary, size);
    await fill(temporary);
    await sync(temporary); // S6: whole before it has its name
    await rename(temporary, output);
    await sync(dirname(output));
  });
}

/** The path that is written, links followed. */
async function checkOutput(named: string, needed: number): Promise<string> {
  const present = await stat(named).catch(() => undefined);
  const isDangling = present === undefined && (await readlink(named).catch(() => '')) !== '';
  if (named === '' || isDangling || (present !== undefined && !present.isFile())) {
    const other = present?.isDirectory() ? 'a folder' : 'a device or something else';
    throw new PineError('INPUT_OUTPUT_FILE', 'the output must be a file', {
      expected: 'a new name, or a regular file to replace',
      found: named === '' ? 'no name' : isDangling ? 'a link that leads nowhere' : other,
      where: named === '' ? '-o' : named,
      remedy: 'give another name with -o; write the file to a disk with dd',
    });
  }
  const path = present === undefined ? named : await realpath(named);
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
  return path;
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
