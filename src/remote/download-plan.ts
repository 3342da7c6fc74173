import { dirname } from 'node:path/posix';
import { PineError } from '../error.ts';
import type { Digest } from '../image/digest.ts';
import type { FileSystem } from '../ports/file-system.ts';
import type { RemoteRepository } from './remote-repository.ts';

/** What is held before it is added to the file (S9). */
const writeLength = 256 * 1024;

/**
 * Fetches a commit's full plan into a file. The name is there only when the whole plan is, checked
 * and on stable storage (S5, S6); a cut leaves `PATH.new`, which the next run replaces (S7).
 * Throws SPACE_DATA before anything is fetched (S10), CORRUPT_PLAN, and what the remote throws.
 */
export async function downloadPlan(
  repository: RemoteRepository,
  commit: string,
  digest: Digest,
  files: FileSystem,
  path: string,
): Promise<void> {
  const temporary = `${path}.new`;
  await files.makeFolder(dirname(path), 0o755);
  await files.remove(temporary);
  await checkSpace(files, dirname(path), digest.size);
  await files.writeFile(temporary, Buffer.alloc(0), 0o644);
  let held: Uint8Array[] = [];
  let heldLength = 0;
  const write = async () => {
    await files.appendFile(temporary, Buffer.concat(held), 0o644);
    held = [];
    heldLength = 0;
  };
  try {
    for await (const piece of repository.fetchPlan(commit, digest)) {
      held.push(piece);
      heldLength += piece.length;
      if (heldLength >= writeLength) await write();
    }
    await write();
  } catch (error) {
    await files.remove(temporary);
    throw error;
  }
  await files.sync(temporary);
  await files.rename(temporary, path);
  await files.sync(dirname(path));
}

async function checkSpace(files: FileSystem, folder: string, size: number): Promise<void> {
  const free = await files.freeBytes(folder);
  if (free >= size) return;
  throw new PineError('SPACE_DATA', 'there is no room for the plan of the new image', {
    expected: `${size} free bytes`,
    found: `${free}`,
    where: folder,
    remedy: 'remove something from the data partition and run the command again',
  });
}
