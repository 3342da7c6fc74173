import { dirname } from 'node:path/posix';
import type { FileSystem } from '../ports/file-system.ts';

/** Replaces a file as a whole: after a power cut it is the old or the new one (S6, S7). */
export async function replaceFile(
  files: FileSystem,
  path: string,
  bytes: Uint8Array,
  mode = 0o644,
): Promise<void> {
  const temporary = `${path}.new`;
  await files.makeFolder(dirname(path), 0o755);
  await files.writeFile(temporary, bytes, mode);
  await files.sync(temporary);
  await files.rename(temporary, path);
  await files.sync(dirname(path));
}

/** Removes a file or folder, durably. */
export async function removeDurably(files: FileSystem, path: string): Promise<void> {
  if ((await files.status(path)) === undefined) return;
  await files.remove(path);
  await files.sync(dirname(path));
}
