import type { Stats } from 'node:fs';
import { chmod, chown, open, readlink, realpath, rename, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { emptyFile } from '../disk/empty-file.ts';
import { withTemporaryPaths } from '../disk/temporary-paths.ts';
import { PineError } from '../error.ts';

export interface OutputOptions {
  /** Bytes of the file. */
  readonly size: number;
  /** How many will really be written; the rest stays a hole. */
  readonly needed: number;
  /** Paths of files that it is made of, and that would be gone. */
  readonly inputs?: readonly string[];
}

/**
 * Makes a file of `size` bytes under a temporary name, lets `fill` write it, and gives it its own name
 * when everything is on stable storage. Nothing is left behind when that fails, or is interrupted. Of a link, the file that it
 * leads to is replaced.
 *
 * A file that is replaced keeps its owner and who may read it. Throws INPUT_OUTPUT_FILE for a name that is not a file's, or
 * that of an input; NOT_FOUND_FOLDER; SPACE_OUTPUT.
 */
export async function writeOutputFile(
  path: string,
  { size, needed, inputs = [] }: OutputOptions,
  fill: (temporaryPath: string) => Promise<void>,
): Promise<void> {
  const { output, present } = await checkOutput(path, needed);
  if (present !== undefined) await checkIsNoInput(path, present, inputs);
  const temporary = `${output}.${process.pid}.part`;
  await withTemporaryPaths([temporary], async () => {
    await emptyFile(temporary, size);
    if (present !== undefined) {
      await keepOwner(temporary, present);
      await chmod(temporary, present.mode);
    }
    await fill(temporary);
    await sync(temporary); // S6: whole before it has its name
    await rename(temporary, output);
    await sync(dirname(output));
  });
}

/** Who is not root may replace a file of somebody else, in a folder of its own, but not give it away. */
async function keepOwner(path: string, { uid, gid }: Stats): Promise<void> {
  await chown(path, uid, gid).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPERM') throw error;
  });
}

async function checkIsNoInput(
  path: string,
  { dev, ino }: Stats,
  inputs: readonly string[],
): Promise<void> {
  for (const input of inputs) {
    const other = await stat(input).catch(() => undefined);
    if (other?.dev !== dev || other.ino !== ino) continue;
    throw new PineError('INPUT_OUTPUT_FILE', 'the output is what it is made of', {
      expected: 'another file than those that are read',
      found: input,
      where: path,
      remedy: 'give another name with -o',
    });
  }
}

/** The path that is written, links followed, and the file that is there. */
async function checkOutput(
  named: string,
  needed: number,
): Promise<{ readonly output: string; readonly present: Stats | undefined }> {
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
  return { output: path, present };
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
