import type { FileSystem } from '../ports/file-system.ts';

/** Bytes that a copy of a folder takes, each file rounded up to blocks of 4 KiB (S10). */
export async function measureFolder(files: FileSystem, path: string): Promise<number> {
  let bytes = 4096;
  for (const name of (await files.readFolder(path)) ?? []) {
    const entry = await files.status(`${path}/${name}`);
    if (entry?.kind === 'directory') bytes += await measureFolder(files, `${path}/${name}`);
    else if (entry !== undefined) bytes += Math.ceil((entry.size + 1) / 4096) * 4096;
  }
  return bytes;
}
