import type { FileSystem } from '../ports/file-system.ts';

/** A program that the image or the administrator put into a folder such as health.d. */
export interface Executable {
  readonly name: string;
  readonly path: string;
  /** The one of the folders that it was found in. */
  readonly folder: string;
}

/**
 * The executables of the folders, by name; of two with one name the one in the earlier folder counts, so that
 * an administrator can replace what the image brings, or take it out with a link to /dev/null. Hidden files and
 * backups (`~`) are left out.
 */
export async function findExecutables(
  files: FileSystem,
  folders: readonly string[],
): Promise<readonly Executable[]> {
  const found = new Map<string, Executable | undefined>();
  for (const folder of folders) {
    for (const name of (await files.readFolder(folder)) ?? []) {
      if (name.startsWith('.') || name.endsWith('~') || found.has(name)) continue;
      const path = `${folder}/${name}`;
      const kind = await kindOf(files, path);
      if (kind === 'executable') found.set(name, { name, path, folder });
      else if (kind === 'masked') found.set(name, undefined);
    }
  }
  return [...found.values()]
    .filter((entry) => entry !== undefined)
    .sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

/** A link counts as executable: what it leads to shows when it is run. */
async function kindOf(
  files: FileSystem,
  path: string,
): Promise<'executable' | 'masked' | undefined> {
  const status = await files.status(path);
  if (status?.kind === 'symlink') {
    return (await files.readLink(path)) === '/dev/null' ? 'masked' : 'executable';
  }
  return status?.kind === 'file' && (status.mode & 0o111) !== 0 ? 'executable' : undefined;
}
