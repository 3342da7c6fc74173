import type { FileSystem } from '../../ports/file-system.ts';
import { damaged, readingGit } from './damaged.ts';

/** The branches: what this machine ran, what releases shipped, and what its upgrades made of the two. */
export const branches = ['machine', 'shipped', 'upgrade'] as const;
export type Branch = (typeof branches)[number];

/**
 * The newest revision of a branch, which is a file of its own; `undefined` when it has none. It is read without
 * isomorphic-git, so that a boot that changed nothing never loads that. Throws CORRUPT_ETC_HISTORY.
 */
export async function readTip(
  files: FileSystem,
  folder: string,
  branch: Branch,
): Promise<string | undefined> {
  const name = `refs/heads/${branch}`;
  const read = async (path: string, limit: number) =>
    (await readingGit(path, () => files.readFile(path, limit)))?.toString('latin1');
  const own = await read(`${folder}/${name}`, 100);
  // Where somebody has run `git gc`, branches that did not change since are lines of one file.
  const packed = own ?? (await read(`${folder}/packed-refs`, 64 * 1024))?.split('\n');
  const id =
    typeof packed === 'object'
      ? packed.find((line) => line.endsWith(` ${name}`))?.slice(0, 40)
      : packed?.trim();
  if (id === undefined || /^[0-9a-f]{40}$/.test(id)) return id;
  throw damaged(JSON.stringify(id), `${folder}/${name}`);
}
