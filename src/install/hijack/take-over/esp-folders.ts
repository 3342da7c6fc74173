import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { EfiFolder } from '../boot-loader.ts';
import { syncPath } from './sync-path.ts';

/** A folder that firmware looks into, and the one that lies ready to take its place. */
export interface EspFolder extends EfiFolder {
  /** Whether there is one now. */
  readonly exists: boolean;
  /** What the one that lies ready is called until then: no long name is needed for it. */
  readonly ready: string;
  /** What the old one is called after that. */
  readonly old: string;
}

/** Where firmware looks when it knows of nothing else. */
const fallback = 'BOOT';
const readyName = /^PINE-\d$/i;

/** The folders that are to start pine: each that starts something now, and the one for firmware that has forgotten all. */
export function espFolders(found: readonly EfiFolder[]): EspFolder[] {
  const isFallback = ({ name }: EfiFolder) => name.toUpperCase() === fallback;
  const all = [
    ...found
      .filter((folder) => !isFallback(folder) && folder.programs.length > 0)
      .map((folder) => ({ ...folder, exists: true })),
    { name: fallback, programs: ['BOOTX64.EFI'], exists: found.some(isFallback) },
  ];
  return all.map((folder, index) => ({
    ...folder,
    ready: `PINE-${index + 1}`,
    old: `OLD-${index + 1}`,
  }));
}

/** Bytes that the new folders take at most; `cluster` is more than any file system's. */
export function espNeed(folders: readonly EspFolder[], core: number): number {
  const cluster = 32 * 1024;
  const programs = folders.reduce((sum, { programs }) => sum + programs.length, 0);
  return programs * (core + cluster) + folders.length * cluster;
}

/** Puts the new folders beside the old ones: nothing starts out of them. On stable storage (S6). */
export async function putReady(
  mountPoint: string,
  folders: readonly EspFolder[],
  core: Uint8Array,
): Promise<void> {
  const efi = join(mountPoint, 'EFI');
  for (const { ready, programs } of folders) {
    await mkdir(join(efi, ready));
    for (const program of programs) {
      const file = await open(join(efi, ready, program), 'wx');
      try {
        await file.writeFile(core);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    await syncPath(join(efi, ready));
  }
  await syncPath(efi);
}

/** Takes them away again. */
export async function removeReady(mountPoint: string): Promise<void> {
  const efi = join(mountPoint, 'EFI');
  const names = await readdir(efi).catch(() => []);
  for (const name of names.filter((one) => readyName.test(one))) {
    await rm(join(efi, name), { recursive: true });
  }
  if (names.some((one) => readyName.test(one))) await syncPath(efi);
}
